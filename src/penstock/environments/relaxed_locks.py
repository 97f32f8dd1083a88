"""Relaxed requests and their locks, kept on disk: the same request on the same Pythons gives the same set."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from penstock.environments.conda_versions import BadSpec, parse_conda_spec
from penstock.environments.files import locked, write_atomically
from penstock.environments.interpreters import Interpreter, running_version
from penstock.environments.locking import Lock, digest_of, read_lock
from penstock.environments.recipes import EnvironmentRequest, Recipe
from penstock.environments.relaxation import Relaxation
from penstock.environments.relaxing import Relaxed, relax
from penstock.environments.uv import Uv
from penstock.errors import Problem

_SCHEMA = 1
"""Part of every relaxed request's digest: raise it when the same request should be relaxed anew."""
_NAME_LENGTH = 32


@dataclass(frozen=True)
class RelaxedLocks:
    """The relaxed requests of one folder. Every method may be called from any thread and process."""

    folder: Path
    uv: Uv

    def find(
        self, request: EnvironmentRequest, recipe: Recipe, present: Sequence[Interpreter]
    ) -> Relaxed | None:
        """What was chosen for this request before; nothing is asked."""
        return _read(self._record(request, recipe, present), request.pointer, present)

    def get(
        self,
        request: EnvironmentRequest,
        recipe: Recipe,
        present: Sequence[Interpreter],
        say: Callable[[str], None],
        *,
        fresh: bool,
    ) -> Relaxed:
        """What was chosen before, or is chosen now. Raises UvFailed and EnvironmentCannotBeBuilt."""
        record = self._record(request, recipe, present)
        found = None if fresh else _read(record, request.pointer, present)
        if found is not None:
            return found
        with locked(self.folder / "locks" / f"request-{record.stem}"):
            found = None if fresh else _read(record, request.pointer, present)
            if found is not None:
                return found
            say(f"relaxing environment `{request.label}`")
            made = relax(
                request.label, recipe.ask, recipe.wish, present, self.uv, say, running=running_version()
            )
            rows = (*made.relaxations, *_left_out(request, recipe))
            made = replace(made, relaxations=tuple(sorted(rows, key=_place)))
            write_atomically(record, json.dumps(_as_record(request, made), indent=1))
            return made

    def _record(self, request: EnvironmentRequest, recipe: Recipe, present: Sequence[Interpreter]) -> Path:
        pythons = sorted({f"{one.version} {one.implementation} {one.platform}" for one in present})
        asked = json.dumps([request.conda, recipe.wish.specifier, recipe.wish.binding], default=str)
        name = digest_of("relaxed", str(_SCHEMA), str(running_version()), *pythons, "", asked)
        return self.folder / "requests" / f"{name[:_NAME_LENGTH]}.json"


def cannot_be_relaxed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems that stay: what cannot be read. What merely is not to be had can be left out."""
    return tuple(problem for problem in problems if not _is_absence(problem))


def _is_absence(problem: Problem) -> bool:
    return problem.code == "not_found"


def _left_out(request: EnvironmentRequest, recipe: Recipe) -> list[Relaxation]:
    """Conda packages that have no name on PyPI, and programs that this machine lacks."""
    rows = []
    for problem in recipe.problems:
        if _is_absence(problem):
            text = _text_at(request, problem.pointer)
            try:
                spec = parse_conda_spec(text)
                what, asked = spec.name, spec.constraint or "any"
            except BadSpec:
                what, asked = text, "any"
            rows.append(Relaxation(what, asked, None, problem.message, problem.pointer))
    return rows


def _text_at(request: EnvironmentRequest, pointer: str) -> str:
    value: object = request.conda
    for part in pointer.removeprefix(f"{request.pointer}/conda_file/").split("/"):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple):
            value = value[int(part)]
    return str(value)


def _place(row: Relaxation) -> tuple[bool, bool, list[tuple[bool, int, str]]]:
    """Python first, then the order of the file, then what no line of it names."""
    parts = [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in row.pointer.split("/")
    ]
    return row.what != "python", "/dependencies/" not in row.pointer, parts


def _as_record(request: EnvironmentRequest, made: Relaxed) -> dict[str, object]:
    """What is written: pointers from the request's own on, since another document may ask for the same."""
    interpreter = made.interpreter
    return {
        "schema": _SCHEMA,
        "label": request.label,
        **asdict(made.lock),
        "relaxed": {
            "python": [interpreter.version, interpreter.implementation, interpreter.platform],
            "differences": [
                {**asdict(row), "pointer": row.pointer.removeprefix(request.pointer)}
                for row in made.relaxations
            ],
        },
    }


def _read(record: Path, pointer: str, present: Sequence[Interpreter]) -> Relaxed | None:
    lock: Lock | None = read_lock(record)
    if lock is None:
        return None
    try:
        content = json.loads(record.read_text("utf-8"))["relaxed"]
        rows = [Relaxation(**{**row, "pointer": pointer + row["pointer"]}) for row in content["differences"]]
        python = tuple(content["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # damaged: relaxed anew
    same = [one for one in present if (one.version, one.implementation, one.platform) == python]
    return Relaxed(same[-1], lock, tuple(rows)) if same else None
