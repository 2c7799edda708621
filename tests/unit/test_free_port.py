"""Ports for services that bind them later."""

import socket

from local.processes import free_port

OUTGOING_PORTS_BEGIN = 32_768  # Linux's default; macOS begins later


def test_a_free_port_is_not_one_that_an_outgoing_connection_could_get() -> None:
    assert {port for port in (free_port() for _ in range(50)) if port >= OUTGOING_PORTS_BEGIN} == set()


def test_a_free_port_is_returned_once() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == len(ports)


def test_a_preferred_port_is_used_unless_it_is_taken() -> None:
    preferred = free_port()
    assert free_port(preferred) == preferred
    with socket.create_server(("127.0.0.1", preferred)):
        assert free_port(preferred) != preferred
