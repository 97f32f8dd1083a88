"""The house holds: imports point down, every room explains itself, and what runs elsewhere may run elsewhere."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import vermin

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "penstock"

# Which way one may look: an import may only point to a lower number. Rooms with one number do not import each other.
STOREYS: dict[str, float] = {
    "az": 9,
    "cli": 8,
    "dashboard": 8,
    "sdk": 7.5,
    "client": 7,
    "server": 6,
    "release": 5,
    "monitoring": 4,
    "triggers": 4,
    "jobs": 3,
    "serving": 3,
    "features": 3,
    "compute": 2,
    "datastores": 2,
    "environments": 2,
    "profiling": 2,
    "tracking": 2,
    "identity": 1.5,
    "store": 1,
    "generate": 1,  # beside the stairs: objects in, text out
    "resources": 0,
    "demo": 0,
    "subscription": -0.5,
    "config_file": -0.75,
    "events": -1,
    "settings": -1,
    "errors": -2,
    "provided": -2,
}

# `python -m penstock` is the command; `testing` is for the tests of plug-in authors and may know every interface.
OUTSIDE_THE_STOREYS = {"__main__", "__init__", "testing"}

# Libraries that one room alone may know, at any depth of a function.
KNOWN_ONLY_TO = {
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "mlflow": {"tracking"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "polars": {"profiling"},
    "fastexcel": {"profiling"},
    "rattler": {"environments"},
    "uvicorn": {"server", "tracking"},  # each runs a process of its own
}

# What the command line and its client may load, and only where it is needed: inside a function.
LAZY_ON_THE_COMMAND_LINE = {"yaml", "jmespath", "rich", "tabulate"}

# Modules that a user's own interpreter runs.
RUNS_IN_THE_USERS_ENVIRONMENT = ("compute/worker.py", "compute/group.py", "compute/keep_log.py")

# A foreign interpreter runs it as a script, with nothing of ours to import: it stays one file.
ONE_FILE_BY_NATURE = {"penstock.compute.worker"}

# Installed for what they bring to another library or to a sub-process, not to be imported by us.
NOT_IMPORTED = {"httptools", "uvloop", "uv"}


@dataclass(frozen=True)
class Import:
    """One import statement: who says it, what it names, and whether it runs when the module is imported."""

    module: str
    target: str
    line: int
    at_import: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def source_files() -> list[Path]:
    """Our modules, without what runs in a user's environment: the demo's project, and what is provided to steps."""
    elsewhere = ("demo/project", "provided/mltable")
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if not any(part in path.as_posix() for part in elsewhere)
    ]


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """`jobs` of `penstock.jobs.planning`; `__init__` of the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Every import of a module, also inside functions; those under `if TYPE_CHECKING` do not run and do not count."""
    return tuple(_imports_in(tree_of(path), module_name(path), at_import=True))


def _imports_in(node: ast.AST, module: str, *, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(module, alias.name, child.lineno, at_import)
        elif isinstance(child, ast.ImportFrom) and child.module is not None:
            for alias in child.names:
                yield Import(module, f"{child.module}.{alias.name}", child.lineno, at_import)
        inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports_in(child, module, at_import=inside)


def all_imports() -> list[Import]:
    return [found for path in source_files() for found in imports_of(path)]


def rooms() -> list[Path]:
    return [path.parent for path in sorted(SOURCE.glob("*/__init__.py"))]


def is_light(module: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether importing a module of `resources` loads only the standard library and other light modules."""
    path = SOURCE.parent / Path(*module.split("."))
    file = path.with_suffix(".py")
    if not file.is_file():
        # A package (its `__init__` holds no imports), or a name inside a module that is looked at by itself.
        return path.is_dir() or is_light(module.rpartition(".")[0], seen)
    if module in seen:
        return True
    for found in imports_of(file):
        if not found.at_import:
            continue
        top = found.target.split(".")[0]
        if top == "penstock" and not is_light(found.target, seen | {module}):
            return False
        if top != "penstock" and top not in sys.stdlib_module_names:
            return False
    return True


def test_every_room_has_its_storey() -> None:
    """A new package or module of the top level is placed on a storey before anything imports it."""
    present = {
        path.stem if path.is_file() else path.name for path in SOURCE.iterdir() if path.suffix in ("", ".py")
    }

    assert present - STOREYS.keys() - OUTSIDE_THE_STOREYS - {"__pycache__"} == set()


def test_imports_point_down() -> None:
    """A room imports from the storeys beneath it, and never from a room beside it."""
    wrong = []
    for found in all_imports():
        if not found.target.startswith("penstock."):
            continue
        source, target = room_of(found.module), room_of(found.target)
        if source == target or source in OUTSIDE_THE_STOREYS:
            continue
        if target == "__version__":
            continue
        if STOREYS.get(target, 99) >= STOREYS[source]:
            wrong.append(str(found))

    assert wrong == []


def test_the_client_reaches_the_server_by_a_socket() -> None:
    """The command line and the client import each other's neighbours and light modules, and no other room."""
    allowed = {"az": {"cli", "client"}, "cli": {"client", "demo"}, "sdk": {"client"}, "client": set[str]()}
    wrong = []
    for found in all_imports():
        source, target = room_of(found.module), room_of(found.target)
        if source not in allowed or not found.target.startswith("penstock.") or source == target:
            continue
        light = target in {"errors", "settings", "config_file", "subscription", "events", "__init__"}
        light = light or found.target == "penstock.__version__"
        light = light or (target == "resources" and is_light(found.target))
        if not light and target not in allowed[source]:
            wrong.append(str(found))

    assert wrong == []


def test_the_command_line_loads_no_library_when_it_starts() -> None:
    """What `penstock --help` imports is the standard library; the few libraries it uses wait inside functions."""
    wrong = []
    for found in all_imports():
        top = found.target.split(".")[0]
        if room_of(found.module) not in {"az", "cli", "client", "errors", "settings"}:
            continue
        if top == "penstock" or top in sys.stdlib_module_names:
            continue
        if found.at_import or top not in LAZY_ON_THE_COMMAND_LINE:
            wrong.append(str(found))

    assert wrong == []


@pytest.mark.parametrize("library", sorted(KNOWN_ONLY_TO))
def test_a_library_with_an_owner_stays_in_its_room(library: str) -> None:
    """SQL, MLflow and the web framework each have one room that knows them."""
    strangers = [
        str(found)
        for found in all_imports()
        if found.target.split(".")[0] == library and room_of(found.module) not in KNOWN_ONLY_TO[library]
    ]

    assert strangers == []


@pytest.mark.parametrize("room", [room.name for room in rooms()])
def test_a_room_has_a_card(room: str) -> None:
    """Thirty lines at most say what a room owns, what it must not touch, and how to add to it."""
    card = SOURCE / room / "README.md"

    assert card.is_file(), f"src/penstock/{room} has no README.md"
    assert len(card.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize("room", [room.name for room in rooms()])
def test_importing_a_room_does_nothing(room: str) -> None:
    """A room's `__init__` says in a docstring what the room is, and imports nothing."""
    body = tree_of(SOURCE / room / "__init__.py").body

    assert ast.get_docstring(tree_of(SOURCE / room / "__init__.py"))
    assert [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)] == []


def test_no_room_is_a_leftover() -> None:
    """A helper gets a name that says what it is."""
    leftovers = re.compile(r"^(utils?|common|core|helpers?|misc|base|managers?)$")

    assert [
        str(path)
        for path in source_files()
        if leftovers.match(path.stem) or leftovers.match(path.parent.name)
    ] == []


def test_a_module_is_read_in_one_sitting() -> None:
    """A module that passes 500 lines usually contains two ideas: name the second."""
    lines = {module_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in source_files()}

    assert {
        name: count for name, count in lines.items() if count > 500 and name not in ONE_FILE_BY_NATURE
    } == {}


def test_a_module_says_what_it_is() -> None:
    """Every module starts with a docstring."""
    assert [module_name(path) for path in source_files() if not ast.get_docstring(tree_of(path))] == []


@pytest.mark.parametrize("module", RUNS_IN_THE_USERS_ENVIRONMENT)
def test_what_runs_in_the_users_environment_needs_nothing_there(module: str) -> None:
    """Only the standard library, and only the language of Python 3.7, whatever the user's interpreter is."""
    path = SOURCE / module
    text = path.read_text(encoding="utf-8")
    visitor = vermin.visit(text, vermin.Config())

    foreign = [
        str(found) for found in imports_of(path) if found.target.split(".")[0] not in sys.stdlib_module_names
    ]
    ast.parse(text, feature_version=(3, 7))
    _, oldest_three = visitor.minimum_versions()

    assert foreign == []
    assert oldest_three is None or oldest_three <= (3, 7), (
        f"{module} needs {oldest_three}:\n{visitor.output_text()}"
    )


def test_what_says_it_runs_in_the_users_environment_is_checked_for_it() -> None:
    """A module whose docstring claims to run in the user's environment is on the list above."""
    claims = re.compile(r"[Rr]uns? (inside|in) the user's environment")
    saying = {
        path.relative_to(SOURCE).as_posix()
        for path in source_files()
        if claims.search(ast.get_docstring(tree_of(path)) or "")
    }

    assert saying <= set(RUNS_IN_THE_USERS_ENVIRONMENT)


def test_a_test_folder_is_called_as_its_room() -> None:
    """`tests/` mirrors the rooms; `journeys` are the stories that cross them."""
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}

    assert folders - {room.name for room in rooms()} - {"journeys"} == set()


def test_dependencies_are_those_that_we_import() -> None:
    """What we import is declared, and what is declared is imported (or named here as used otherwise)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    declared = {_canonical(re.split(r"[<>=!~\[; ]", text)[0]) for text in lines}
    distributions = packages_distributions()
    ours = [found for found in all_imports() if room_of(found.module) != "testing"]  # its users have pytest
    tops = {found.target.split(".")[0] for found in ours} - set(sys.stdlib_module_names) - {"penstock"}
    imported = {_canonical(distribution) for top in tops for distribution in distributions.get(top, [top])}
    # Parts of what is declared that are distributions of their own.
    imported -= {"mlflow-skinny", "mlflow-tracing", "starlette", "pydantic-core"}

    assert imported - declared == set()
    assert declared - imported - NOT_IMPORTED == {"mlflow"} - imported


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
