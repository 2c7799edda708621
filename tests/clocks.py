"""Finds where a module reads a clock, by whatever name it imports the clock."""

import ast
from collections.abc import Iterator, Mapping

CLOCK_MODULES = ("time",)
"""Modules of which every function reads a clock, or waits for one."""
CLOCK_METHODS = ("now", "today", "utcnow")
"""Of ``datetime`` and ``date``, and of what is named after them."""
OTHER_CLOCKS = ("email.utils.formatdate", "email.utils.localtime", "os.times", "uuid.uuid1", "uuid_utils.uuid7")


def clock_reads(source: str) -> set[str]:
    """The clocks that ``source`` imports, calls or passes on, as ``time.monotonic`` or ``datetime.datetime.now``.

    A method of what is not imported (``.Moment.now``) counts only if it is called: ``self.now`` may be a value.
    """
    tree = ast.parse(source)
    imported = dict(_imports(tree))
    named = {*imported.values(), *(_name(node, imported) for node in ast.walk(tree))}
    called = {_name(node.func, imported) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {name for name in named if _is_clock(name) and (name in called or not name.startswith("."))}


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The name in the module, and what it stands for, of each import."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                yield from ((alias.asname, alias.name) for alias in aliases if alias.asname)
                yield from ((top, top) for alias in aliases if not alias.asname and (top := alias.name.split(".")[0]))
            case ast.ImportFrom(module=str(module), level=0, names=aliases):
                yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in aliases)


def _name(node: ast.AST, imported: Mapping[str, str]) -> str:
    """The full name of a name or an attribute; what is not imported begins with a dot, and so does its attribute."""
    match node:
        case ast.Name(id=name):
            return imported.get(name, f".{name}")
        case ast.Attribute(value=value, attr=attribute):
            return f"{_name(value, imported)}.{attribute}"
    return "."


def _is_clock(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return module in CLOCK_MODULES or (attribute in CLOCK_METHODS and module not in ("", ".")) or name in OTHER_CLOCKS
