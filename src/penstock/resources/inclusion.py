"""Putting the files that a document names in their place, and finding the local paths that are to be uploaded.

What is read in: `file:…` where a mapping may stand; environments, components, trials, jobs of a schedule given by
path; conda files; expectations of data. Their own relative paths start from their own folder. What is uploaded: `code` with a component's
`additional_includes`, `path` of data and models, `build.path`. Every file must lie inside the project, except data and models given by an absolute path.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.errors import InvalidDocument, Problem
from penstock.resources.kinds import advice, described, kind_of
from penstock.resources.local_paths import Include, LocalPath, Origin, PathTrouble, find_local, is_local
from penstock.resources.overrides import forget_below, pointer_to
from penstock.resources.yaml_source import Position, YamlText, read_yaml

# Any in this module: a JSON value.

MOST_FILES = 500
"""Files that one document may read in; the same one counts each time."""
MOST_VALUES = 500_000
"""Values that they may add up to."""

Path_ = tuple[str | int, ...]

_FILE = "file:"
INCLUDES = "additional_includes"
# A text here is a text, whatever it begins with.
_TEXTS = frozenset(
    {
        "$schema", "name", "version", "type", "description", "display_name", "experiment_name", "comment", "command",
        "tags", "properties", "environment_variables", "image", "default", "args", "entry_script", "program_arguments",
        "outputs",
    }
)  # fmt: skip
# A path here is read in also without `file:`; the value is the kind of file that it must be.
_READ_IN: Mapping[str, tuple[str, ...]] = {
    "environment": ("environment",),
    "component": ("component", "job"),
    "trial": ("component", "job"),
    "create_job": ("job", "component"),
    "job": ("job", "component"),
}
_DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable"})
_MODEL_TYPES = frozenset({"custom_model", "mlflow_model", "triton_model"})


@dataclass
class Inclusion:
    """One document on its way: `data` and `positions` are changed in place, findings are collected."""

    data: dict[str, Any]
    positions: dict[str, Position]
    root: Path | None
    problems: list[Problem]
    local: list[LocalPath]
    warnings: list[str]
    perhaps: dict[str, LocalPath | Problem] = field(default_factory=dict)
    kind: str = ""
    files: int = 0
    values: int = 0

    def document(self, kind: str, origin: Origin) -> None:
        """Go through the whole document, which is of a kind and was read from `origin`."""
        self.kind = kind
        self.body(self.data, (), origin)
        if kind == "data" and isinstance(self.data.get("expectations"), str):
            text = self.data["expectations"]
            self.include(self.data, ("expectations",), text, ("expectations",), origin)
        if kind in ("data", "model"):
            self.place(self.data, (), "path", kind, origin)

    def body(self, body: dict[str, Any], path: Path_, origin: Origin) -> None:
        """A job, step, component or environment."""
        for key in list(body):
            at = (*path, key)
            if key in _TEXTS or key == "path" or (key == "expectations" and self.kind == "data"):
                continue
            if key in _READ_IN:
                self.read_in(body, at, origin)
            elif key == "conda_file":
                self.conda(body, at, origin)
            elif key == "code":
                self.place(body, path, key, "code", origin)
            else:
                inner = self.opened(body, at, origin)
                if inner is not None:
                    self.part(key, body[key], at, inner)
        if INCLUDES in body and (path[-1] in _READ_IN if path else self.kind == "component"):
            self.additional(body, path, origin)
        self.short_inputs(body, path, origin)

    def part(self, key: str, value: Any, path: Path_, origin: Origin) -> None:
        """The value of a key that is neither a file nor a local path by itself."""
        if not isinstance(value, dict):
            return
        if key == "inputs":
            for name, given in value.items():
                if isinstance(given, dict):
                    role = "model" if str(given.get("type", "")).lower() in _MODEL_TYPES else "data"
                    self.place(given, (*path, name), "path", role, origin)
        elif key == "jobs":
            for name in list(value):
                inner = self.opened(value, (*path, name), origin, ("job", "component"))
                if inner is not None and isinstance(value[name], dict):
                    self.body(value[name], (*path, name), inner)
        elif key == "build":
            self.place(value, path, "path", "build", origin)
        elif key == "task":
            self.body(value, path, origin)

    def short_inputs(self, step: dict[str, Any], path: Path_, origin: Origin) -> None:
        """Local paths given alone (`inputs: {data: ./x.csv}`) where the step's component declares a port for data."""
        component, inputs = step.get("component"), step.get("inputs")
        if isinstance(component, str) and isinstance(inputs, dict):
            self.doubtful_inputs(inputs, (*path, "inputs"), origin)
        ports = component.get("inputs") if isinstance(component, dict) else None
        if not isinstance(ports, dict) or not isinstance(inputs, dict):
            return
        for name in inputs:
            declared = ports.get(name)
            kind = str(declared.get("type", "")).lower() if isinstance(declared, dict) else ""
            if kind in _DATA_TYPES | _MODEL_TYPES:
                role = "model" if kind in _MODEL_TYPES else "data"
                self.place(inputs, (*path, "inputs"), name, role, origin)

    def doubtful_inputs(self, inputs: dict[str, Any], path: Path_, origin: Origin) -> None:
        """The same where only the server knows the component: what each text would be if it stood for data."""
        for name, text in inputs.items():
            if isinstance(text, str) and is_local(text):
                pointer = pointer_to((*path, name))
                try:
                    found = find_local(text, origin, root=self.root, must_stay_inside=False, folder=None)
                except PathTrouble as trouble:
                    self.perhaps[pointer] = trouble.problem(pointer)
                else:
                    self.perhaps[pointer] = LocalPath.of(pointer, found, "data", self.root)

    def read_in(self, parent: dict[str, Any], path: Path_, origin: Origin) -> None:
        """An environment or component: a mapping, a reference, or a file that is put in its place."""
        key, value = str(path[-1]), parent[path[-1]]  # type: ignore[index]
        inner: Origin | None = origin
        if isinstance(value, str):
            if not is_local(value):
                return
            kinds = _READ_IN[key]
            if not value.startswith(_FILE) and not origin.has(value) and not _looks_like_a_file(value):
                self.problems.append(self.neither(key, value, path, origin))
                return
            inner = self.include(parent, path, value, kinds, origin)
        if inner is not None and isinstance(parent[path[-1]], dict):  # type: ignore[index]
            self.body(parent[path[-1]], path, inner)  # type: ignore[index]

    def opened(
        self, parent: dict[str, Any], path: Path_, origin: Origin, kinds: tuple[str, ...] = ()
    ) -> Origin | None:
        """Where a value comes from, after a `file:` was read in; None where that failed."""
        value = parent[path[-1]]  # type: ignore[index]
        if not isinstance(value, str) or not value.startswith(_FILE):
            return origin
        return self.include(parent, path, value, kinds, origin)

    def conda(self, parent: dict[str, Any], path: Path_, origin: Origin) -> None:
        """`conda_file`: a mapping, or a file whose content is put in its place."""
        value = parent["conda_file"]
        if not isinstance(value, str):
            return
        pointer, expected = pointer_to(path), "a path of a conda file, or its content as a mapping"
        if "\n" in value or not is_local(value):
            what = "text" if "\n" in value else "an address, and conda files are not fetched"
            self.problems.append(Problem(pointer, f"`conda_file` is {what}", expected=expected))
            return
        if value.endswith(".txt"):
            hint = "list its lines under `- pip:` in the `dependencies` of a conda file"
            self.problems.append(
                Problem(
                    pointer,
                    f"`{value}` is a pip requirements file, not a conda file",
                    expected=expected,
                    hint=hint,
                )
            )
            return
        self.include(parent, path, value, ("conda",), origin)

    def include(
        self, parent: dict[str, Any], path: Path_, text: str, kinds: tuple[str, ...], origin: Origin
    ) -> Origin | None:
        """Read a file in place of its path. None, and a problem, where that is not possible."""
        pointer = pointer_to(path)
        try:
            file = find_local(
                text.removeprefix(_FILE), origin, root=self.root, must_stay_inside=True, folder=False
            )
            inner = origin.below(file, text.removeprefix(_FILE))
            if inner is None:
                chain = " → ".join([*origin.chain_from(file), origin.written(text.removeprefix(_FILE))])
                raise PathTrouble(f"`{text}` includes itself: {chain}")
            source = self.read(file, inner.shown)
            self.check_kind(source.data, kinds, text, inner.shown)
        except PathTrouble as trouble:
            self.problems.append(trouble.problem(pointer))
            return None
        except InvalidDocument as error:
            self.problems += error.problems
            return None
        parent[path[-1]] = source.data  # type: ignore[index]
        forget_below(pointer, self.positions)
        self.positions.update({pointer + below: position for below, position in source.positions.items()})
        self.warnings += source.warnings
        return inner

    def read(self, file: Path, shown: str) -> YamlText:
        source = read_yaml(file, name=shown)
        self.files += 1
        self.values += len(source.positions)
        if self.files > MOST_FILES or self.values > MOST_VALUES:
            # Raised through: files that include each other over and over cannot be read to their end.
            raise TooMuch(
                f"the document reads in more than {MOST_FILES} files, or more than {MOST_VALUES:,} values"
            )
        return source

    def check_kind(self, data: Any, kinds: tuple[str, ...], text: str, shown: str) -> None:
        """A file of another kind than the place needs is refused with what it is."""
        if not isinstance(data, dict):
            what = "is empty" if data is None else "holds no mapping"
            raise PathTrouble(f"`{shown}` {what}", expected=described(kinds[0]) if kinds else "a mapping")
        found = kind_of(data)
        if kinds and found is not None and found not in kinds:
            raise PathTrouble(
                f"`{shown}` is {described(found)}, not {described(kinds[0])}",
                expected=described(kinds[0]),
                hint=advice(found, shown),
            )

    def place(self, parent: dict[str, Any], path: Path_, key: str, role: str, origin: Origin) -> None:
        """A local path that is to be uploaded, where there is one."""
        value = parent.get(key)
        if not isinstance(value, str) or not is_local(value):
            return
        pointer = pointer_to((*path, key))
        inside = role in ("code", "build")
        text = value.removeprefix(_FILE)
        try:
            found = find_local(
                text, origin, root=self.root, must_stay_inside=inside, folder=role == "build" or None
            )
        except PathTrouble as trouble:
            self.problems.append(trouble.problem(pointer))
            return
        self.local.append(LocalPath.of(pointer, found, role, self.root))

    def additional(self, component: dict[str, Any], path: Path_, origin: Origin) -> None:
        """`additional_includes`: they are a part of the code from here on, and stand in the document no longer."""
        given = component.pop(INCLUDES)
        pointer = pointer_to((*path, INCLUDES))
        if given is not None and not isinstance(given, list):
            wanted = "a list of paths"
            self.problems.append(Problem(pointer, f"`{INCLUDES}` must be {wanted}", expected=wanted))
            return
        includes = [self.include_of(text, f"{pointer}/{at}", origin) for at, text in enumerate(given or ())]
        found = tuple(include for include in includes if include is not None)
        if not found:
            return
        code = pointer_to((*path, "code"))
        if component.get("code") is None:
            self.local.append(
                replace(LocalPath.of(code, origin.folder, "includes", self.root), includes=found)
            )
            return
        for at, local in enumerate(self.local):
            if local.pointer == code:
                self.local[at] = replace(local, includes=found)

    def include_of(self, text: Any, pointer: str, origin: Origin) -> Include | None:
        """One include; None, and a problem, where it leads nowhere."""
        if not isinstance(text, str):
            problem = Problem(pointer, "an include must be a path", expected="a local file or folder")
            if isinstance(text, dict):
                message = "packages of an artifact feed are not supported yet"
                problem = Problem(pointer, message, hint="give the path of a folder", code="unsupported")
            self.problems.append(problem)
            return None
        text = text.removeprefix(_FILE)
        try:
            try:
                found, zipped = self.inside(text, origin, None), False
            except PathTrouble:
                if not text.endswith(".zip"):
                    raise
                found, zipped = self.inside(text.removesuffix(".zip"), origin, True), True
        except PathTrouble as trouble:
            self.problems.append(trouble.problem(pointer))
            return None
        return Include(pointer, found, found.name + (".zip" if zipped else ""), zipped)

    def inside(self, text: str, origin: Origin, folder: bool | None) -> Path:
        """A local path that may not leave the project."""
        return find_local(text, origin, root=self.root, must_stay_inside=True, folder=folder)

    def neither(self, key: str, value: str, path: Path_, origin: Origin) -> Problem:
        """A bare word that is no file: most likely a forgotten `azureml:`."""
        from penstock.resources.references import forms_of  # only a mistake needs it

        near = origin.near(value)
        registered = (
            f"for a registered one: `azureml:{value}@latest`" if re.fullmatch(r"[\w.-]+", value) else None
        )
        hint = f"did you mean `{near}`?" if near else registered
        expected = f"{forms_of(key if key == 'environment' else 'component')}, or the path of a file"
        return Problem(
            pointer_to(path),
            f"`{value}` is neither a reference nor a file in {origin.folder}",
            expected=expected,
            hint=hint,
        )


class TooMuch(Exception):
    """The document includes so much that reading it on would take for ever."""


def _looks_like_a_file(text: str) -> bool:
    return "/" in text or "\\" in text or text.lower().endswith((".yml", ".yaml", ".json"))
