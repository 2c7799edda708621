"""A producer that calls the API: its scopes, and which notifications it sees. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from publisher_api.refusal import Refusal, RefusalCode, invalid
from shared.described import Described


class Scope(Described):
    """What a producer may do. ``admin`` includes every scope, and ``read_all`` includes ``read``.

    ``users`` reaches what other producers sent too: it makes an inbox token of any user, which shows the user's
    notifications of every producer. Give it only to a backend that signs users in.
    """

    SEND = "send", "Send notifications, and cancel them."
    READ = "read", "Read the producer's own notifications, and count unread ones."
    READ_ALL = "read_all", "Reach the notifications of every producer, in each request that the other scopes allow."
    USERS = "users", "Users, their devices and preferences, marking as read; inbox tokens, which show all producers."
    CONFIGURE = "configure", "Channels, templates, event types, limits and default preferences; not retention."
    ADMIN = "admin", "Everything, also API keys, the audit log, erasing and exporting users, and retention."


_INCLUDES = {Scope.READ_ALL: frozenset({Scope.READ}), Scope.ADMIN: frozenset(Scope)}
SCOPES_OF_TENANTS = frozenset({Scope.SEND, Scope.READ, Scope.READ_ALL})
"""What a credential with a tenant may have. Users, configuration and API keys belong to no tenant."""


def scopes_of(names: Collection[str]) -> frozenset[Scope]:
    """The scopes among these names. A token's other scopes are for other APIs."""
    return frozenset(scope for scope in Scope if scope.value in names)


def fault_of_tenant(tenant: str | None, scopes: Iterable[Scope]) -> str | None:
    """Why a credential with this tenant cannot have these scopes; None if it can."""
    beyond = sorted(frozenset(scopes) - SCOPES_OF_TENANTS) if tenant is not None else []
    if not beyond:
        return None
    return f"{', '.join(beyond)}: a tenant may have {', '.join(sorted(SCOPES_OF_TENANTS))} only"


@dataclass(frozen=True, slots=True)
class Sight:
    """Which notifications a caller reaches: those of a producer and of a tenant. None does not restrict."""

    producer: str | None = None
    tenant: str | None = None


EVERYTHING = Sight()
IN_SIGHT = """
    (%(producer)s::text is null or n.producer = %(producer)s) and (%(tenant)s::text is null or n.tenant = %(tenant)s)
"""
"""Whether a row ``n`` of ``notifications`` is in sight, in SQL. The parameters are the fields of ``Sight``."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A producer, by the credential that it sent: the prefix of its API key, or ``jwt``.

    All of its notifications belong to ``tenant``, and it sees only those; None: to any.
    """

    producer: str
    credential: str
    scopes: frozenset[Scope]
    tenant: str | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or any(scope in _INCLUDES.get(own, ()) for own in self.scopes)

    def require(self, scope: Scope, action: str = "This") -> None:
        """Raises ``Refusal`` without this scope. ``action`` says what needs it."""
        if not self.may(scope):
            given = ", ".join(sorted(self.scopes)) or "none"
            remedy = "An administrator makes one that has it."
            detail = f"{action} needs the scope {scope}. The credential has {given}. {remedy}"
            raise Refusal(RefusalCode.INSUFFICIENT_SCOPE, detail, members={"scope": scope.value})

    @property
    def sight(self) -> Sight:
        return Sight(None if self.may(Scope.READ_ALL) else self.producer, self.tenant)

    def sight_of(self, tenant: str | None) -> Sight:
        """What it sees of this tenant; None: of every tenant that it sees. Raises ``Refusal`` for another's tenant."""
        return replace(self.sight, tenant=self.tenant_of(tenant))

    def tenant_of(self, tenant: str | None, field: str = "tenant") -> str | None:
        """The tenant that a request means that names this one. Raises ``Refusal`` if the credential has another."""
        if self.tenant is None or tenant is None:
            return self.tenant or tenant
        if tenant != self.tenant:
            raise invalid(field, f"this credential is of the tenant {self.tenant!r}; leave the field out")
        return tenant


def command(name: str) -> Principal:
    """What changes something on the command line of a machine that may open Postgres: it may do everything."""
    return Principal("command", name, frozenset({Scope.ADMIN}))
