"""From a file on disk to a document that can be sent: plain data, its local files, and where each value was written.

Problems are collected, not raised, so that they can be shown together with the server's; only what leaves nothing to
look at (no file, no YAML, another kind of file) raises InvalidDocument at once.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from penstock.errors import InvalidDocument, Problem
from penstock.resources.inclusion import Inclusion, TooMuch
from penstock.resources.kinds import advice, described, kind_of
from penstock.resources.local_paths import LocalPath, Origin, names_in
from penstock.resources.nearest import nearest_file
from penstock.resources.overrides import additions_in_doubt, apply_overrides, forget_below, parse_override
from penstock.resources.project_root import place_of, project_root_of, real
from penstock.resources.yaml_source import Position, escaped, load_yaml, read_yaml

__all__ = [
    "Document",
    "LocalPath",
    "Position",
    "document_from_flags",
    "kind_of",
    "load_yaml",
    "read_document",
]

# Any in this module: a JSON value.

# Flags whose names are not the names of the fields.
_FLAGS: Mapping[str, str] = {"/build/path": "--build-context", "/build/dockerfile_path": "--dockerfile-path"}


@dataclass(frozen=True)
class Document:
    """One document: everything that it includes is in `data`, everything that must be uploaded in `local`.

    `problems` are what was found on this side, already with file and line. `positions` are by JSON pointer.
    """

    kind: str
    file: Path
    data: dict[str, Any]
    local: tuple[LocalPath, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    positions: Mapping[str, Position]
    perhaps: Mapping[str, LocalPath | Problem] = field(default_factory=dict)
    """By JSON pointer, texts that are local paths if a component which only the server knows takes data there."""

    def with_paths(self, problems: Iterable[Problem]) -> "Document | None":
        """The document with those of its texts as paths of which the server says that they are; None where it says so of none."""
        found = [
            self.perhaps[each.pointer]
            for each in problems
            if each.code == "not_uploaded" and each.pointer in self.perhaps
        ]
        if not found:
            return None
        told = {each.pointer for each in found}
        return replace(
            self,
            local=(*self.local, *(each for each in found if isinstance(each, LocalPath))),
            problems=(*self.problems, *self.locate(each for each in found if isinstance(each, Problem))),
            perhaps={pointer: each for pointer, each in self.perhaps.items() if pointer not in told},
        )

    def position_of(self, pointer: str) -> Position | None:
        """Where a value was written; of a value that is not there, the nearest one around it."""
        while pointer not in self.positions:
            if not pointer:
                return None
            pointer = pointer.rpartition("/")[0]
        return self.positions[pointer]

    def locate(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems with file and line. Those that have a file keep it; in a flag there is no line."""
        return tuple(problem if problem.file is not None else self._placed(problem) for problem in problems)

    def locate_warnings(self, warnings: Iterable[Problem]) -> tuple[Problem, ...]:
        """Warnings with file and line, each once per place: what three steps include is written once."""
        found: dict[object, Problem] = {}
        for warning in warnings:
            where = self.position_of(warning.pointer) if warning.pointer else None
            found.setdefault((where or warning.pointer, warning.message, warning.hint), warning)
        return self.locate(found.values())

    def together(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """This side's problems, then others (the server's), without those that only follow from this side's.

        A file that is missing here leaves its path in `data`, which nobody else can make sense of either.
        """
        own = {
            each.pointer
            for each in self.problems
            if each.pointer and (each.code == "missing" or not (each.file or "").startswith("--set"))
        }
        others = [problem for problem in problems if not own.intersection(_upwards(problem.pointer))]
        return (*self.problems, *self.locate(others))

    def _placed(self, problem: Problem) -> Problem:
        position = self.position_of(problem.pointer)
        return problem if position is None else problem.at(position.file, position.line)


def read_document(
    file: Path,
    kind: str,
    *,
    overrides: Sequence[str] = (),
    fields: Mapping[str, object] | None = None,
    project_root: Path | None = None,
) -> Document:
    """Read a YAML file of a kind (`job`, `environment`, `data` …).

    `overrides` are the texts of `--set`; `fields`, from flags such as `--name`, win over them at the top level, and
    those that are None do not count. Both come before inclusion; paths in them start from the file's folder, as in the file.
    """
    parsed = [parse_override(text) for text in overrides]
    _must_exist(file)
    source = read_yaml(file, name=str(file))
    data = source.data
    if not isinstance(data, dict):
        what = f"{file} is empty" if data is None else f"{file} holds {_called(data)}, not a mapping"
        hint = f"it must hold the fields of {described(kind)}, each as `name: value`"
        raise _no_document(file, Problem("", what, hint=hint))
    positions = dict(source.positions)
    warnings = (*source.warnings, *additions_in_doubt(data, parsed))
    problems = apply_overrides(data, parsed, positions)
    _apply_fields(data, fields or {}, positions)
    _must_be(kind, data, file)
    if kind == "data":
        _take_expectations_beside(file, data, positions)
    folder = place_of(file).parent
    root = real(project_root) if project_root is not None else project_root_of(folder)
    origin = Origin(folder, str(file), ((real(file), str(file)),))
    return _document(kind, file, data, positions, origin, root, problems, warnings)


def document_from_flags(kind: str, fields: Mapping[str, object], *, base: Path) -> Document:
    """The document that flags alone describe, such as `environment create --image … --conda-file …`.

    Relative paths start from `base`, the current folder. They may lead anywhere: whoever types a path means it.
    """
    data: dict[str, Any] = {}
    positions: dict[str, Position] = {"": Position("the command line", 0, 0)}
    _apply_fields(data, fields, positions)
    origin = Origin(real(base), str(base / "."))
    return _document(kind, base, data, positions, origin, None, [], ())


def document_from_data(kind: str, data: Mapping[str, Any], *, base: Path) -> Document:
    """The document of data that a program has put together, as if a file in `base` held them.

    Problems have no file and no line; their pointers say where in the data they are.
    """
    origin = Origin(real(base), str(base / "."))
    return _document(kind, base, copy.deepcopy(dict(data)), {}, origin, None, [], ())


def _document(
    kind: str,
    file: Path,
    data: dict[str, Any],
    positions: dict[str, Position],
    origin: Origin,
    root: Path | None,
    problems: list[Problem],
    warnings: tuple[str, ...],
) -> Document:
    inclusion = Inclusion(data, positions, root, problems, [], list(warnings))
    try:
        inclusion.document(kind, origin)
    except TooMuch as error:
        raise _no_document(
            file, Problem("", str(error), hint="does a file include itself by another name?")
        ) from error
    local, remarks = tuple(inclusion.local), tuple(dict.fromkeys(inclusion.warnings))
    perhaps = MappingProxyType(inclusion.perhaps)
    document = Document(kind, file, data, local, (), remarks, MappingProxyType(positions), perhaps)
    return replace(document, problems=document.locate(inclusion.problems))


def _apply_fields(data: dict[str, Any], fields: Mapping[str, object], positions: dict[str, Position]) -> None:
    """Put the values of flags at the top level of the data."""
    for key, value in fields.items():
        if value is None:
            continue
        pointer = "/" + escaped(key)
        forget_below(pointer, positions)
        data[key] = value
        positions[pointer] = Position(_FLAGS.get(pointer, "--" + key.replace("_", "-")), 0, 0)
        if isinstance(value, Mapping):
            for inner in value:
                below = f"{pointer}/{escaped(str(inner))}"
                if below in _FLAGS:
                    positions[below] = Position(_FLAGS[below], 0, 0)


def _take_expectations_beside(file: Path, data: dict[str, Any], positions: dict[str, Position]) -> None:
    """`taxi.expectations.yml` beside `taxi.yml` holds the expectations of a data asset whose file names none.

    The file itself can so be one that Azure ML reads too, which has no such field.
    """
    if "expectations" in data:
        return
    for ending in (".yml", ".yaml"):
        beside = file.with_name(f"{file.stem}.expectations{ending}")
        if beside.is_file():
            data["expectations"] = beside.name
            positions["/expectations"] = Position(str(beside), 1, 0)
            return


def _must_exist(file: Path) -> None:
    if file.is_dir():
        raise _no_document(file, Problem("", f"{file} is a folder, not a file", code="missing"))
    if not file.exists():
        near = nearest_file(file.name, names_in(file.parent))
        hint = f"did you mean `{file.with_name(near)}`?" if near else None
        raise _no_document(file, Problem("", f"{file} does not exist", hint=hint, code="missing"))


def _must_be(kind: str, data: Any, file: Path) -> None:
    """A file that is clearly of another kind is said to be so, in place of a list of strange fields."""
    found = kind_of(data)
    if found == "job" and kind == "component":
        return  # a component with neither ports nor a version looks like a job
    if found is not None and found != kind:
        problem = Problem(
            "",
            f"{file} is {described(found)}, not {described(kind)}",
            expected=described(kind),
            hint=advice(found, file.name),
        )
        raise _no_document(file, problem)


def _no_document(file: Path, problem: Problem) -> InvalidDocument:
    return InvalidDocument(
        [problem.at(str(file), 1) if problem.code != "missing" else problem], problem.message
    )


def _called(data: Any) -> str:
    return "a list" if isinstance(data, list) else "one text" if isinstance(data, str) else "one value"


def _upwards(pointer: str) -> list[str]:
    """A pointer and all that it lies under, but for the whole document."""
    found = []
    while pointer:
        found.append(pointer)
        pointer = pointer.rpartition("/")[0]
    return found
