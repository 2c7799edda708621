"""The fair queue: each producer in turn, the urgent first, and a full queue is full for the one that filled it."""

import threading

import pytest

from publisher_api.fair_queue import FairQueue


def filled(*items: tuple[str, str], most: int = 100) -> FairQueue[str]:
    queue = FairQueue[str](most)
    for producer, item in items:
        assert queue.put(item, producer)
    return queue


def test_producers_are_served_in_turn_and_each_in_its_own_order() -> None:
    queue = filled(*(("flood", f"f{number}") for number in range(5)), ("shop", "s0"), ("shop", "s1"), ("bank", "b0"))
    assert queue.take(100) == ["f0", "s0", "b0", "f1", "s1", "f2", "f3", "f4"]


def test_turns_go_on_where_the_last_take_ended() -> None:
    queue = filled(("flood", "f0"), ("flood", "f1"), ("shop", "s0"), ("shop", "s1"))
    assert [queue.take(1) for _ in range(4)] == [["f0"], ["s0"], ["f1"], ["s1"]]


def test_urgent_items_come_first_also_those_added_last() -> None:
    queue = filled(*(("flood", f"f{number}") for number in range(3)))
    queue.put("u0", "flood", urgent=True)
    queue.put("u1", "shop", urgent=True)
    assert queue.take(3) == ["u0", "u1", "f0"]


def test_one_producer_that_fills_the_queue_is_refused_and_another_is_not() -> None:
    queue = filled(*(("flood", "f") for _ in range(12)), most=12)
    assert not queue.put("f", "flood")
    assert [queue.put("s", "shop") for _ in range(5)] == [True] * 4 + [False]  # a third of 12: two producers and one


def test_bytes_are_bounded_by_the_same_rule_until_the_next_take() -> None:
    queue = FairQueue[str](100, most_bytes=30)
    assert queue.put("f", "flood", size=30)
    assert not queue.put("f", "flood", size=1)
    assert queue.put("s", "shop", size=10)
    assert not queue.put("s", "shop", size=10)
    assert queue.take(2) == ["f", "s"]
    assert not queue.put("f", "flood", size=1), "what was taken is still in memory"
    queue.put("next", "shop")
    assert queue.take(1) == ["next"]
    assert queue.put("f", "flood", size=30)


def test_a_take_waits_for_the_first_item() -> None:
    queue = FairQueue[str](1)
    threading.Timer(0.2, queue.put, ["late", "shop"]).start()
    assert queue.take(1) == ["late"]


@pytest.mark.timeout(20)
def test_a_closed_queue_gives_what_is_left_to_every_thread_and_then_nothing() -> None:
    queue = filled(("shop", "left"))
    taken: list[list[str]] = []
    threads = [threading.Thread(target=lambda: taken.append(queue.take(1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    queue.close()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [[], [], ["left"]]
    assert not queue.put("more", "shop")


@pytest.mark.timeout(20)
def test_no_item_is_lost_or_taken_twice_by_threads_that_put_and_take_at_once() -> None:
    queue = FairQueue[int](100_000)
    taken: list[list[int]] = []

    def take_all() -> None:
        while items := queue.take(7):
            taken.append(items)

    takers = [threading.Thread(target=take_all) for _ in range(3)]
    putters = [
        threading.Thread(target=lambda n=n: [queue.put(n * 1000 + each, str(n)) for each in range(1000)])
        for n in range(4)
    ]
    for thread in (*takers, *putters):
        thread.start()
    for thread in putters:
        thread.join()
    queue.close()
    for thread in takers:
        thread.join()
    assert sorted(item for items in taken for item in items) == list(range(4000))
