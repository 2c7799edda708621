"""The audit log in Postgres. Entries are only added; the name of what is erased is taken out of them."""

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from postgres.pool import Connected
from publisher_api.audit.model import AuditEntry, Change
from publisher_api.principal import Principal


def add_entry(connection: Connected, caller: Principal, action: str, changed: str, changes: dict[str, Change]) -> None:
    """Add an entry, in the transaction of the change."""
    connection.execute(
        "insert into audit_log (principal, credential, action, object, changes) values (%s, %s, %s, %s, %s)",
        [caller.producer, caller.credential, action, changed, Jsonb(changes)],
    )


def rename(connection: Connected, changed: str, name: str) -> None:
    """Give what entries are about another name."""
    connection.execute("update audit_log set object = %s where object = %s", [name, changed])


def list_entries(connection: Connected, filters: dict[str, str], *, limit: int, before: int | None) -> list[AuditEntry]:
    """Up to ``limit`` entries, the newest first, whose columns have the values of ``filters``."""
    conditions = [f"{column} = %({column})s" for column in ("principal", "action", "object") if column in filters]
    if before is not None:
        conditions.append("entry_id < %(before)s")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        cursor.execute(
            f"""
            select entry_id, at, principal, credential, action, object, changes from audit_log {where}
             order by entry_id desc limit %(limit)s
            """,
            {**filters, "before": before, "limit": limit},
        )
        return cursor.fetchall()
