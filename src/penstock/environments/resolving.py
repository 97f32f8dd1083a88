"""From a request to a lock: which Python, which release of every package. Locks are kept: the same request, the same lock."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.environments.explanations import cannot_be_built
from penstock.environments.files import locked, write_atomically
from penstock.environments.interpreters import Interpreter, Interpreters, running_version
from penstock.environments.locking import Lock, resolve
from penstock.environments.python_choice import Chosen, choose_python
from penstock.environments.recipes import EnvironmentRequest, Recipe, recipe_of
from penstock.environments.relaxing import Relaxation
from penstock.environments.uv import Uv, UvFailed
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError, Problem
from penstock.settings import setting

_LOCK_SCHEMA = 1
"""Part of every request's digest: raise it when the same request should be resolved anew."""

_HAS_MLFLOW = re.compile(r"^mlflow(?:-skinny)?\s*(?:==|@)", re.MULTILINE)
_NAME_LENGTH = 32
"""Records are named by this much of the digest of what was asked."""


@dataclass(frozen=True)
class LockedEnvironment:
    """A request with every choice made. `digest` (64 hex) names what it will be, wherever it is built.

    `relaxations` are empty unless the request allows them and something could not be had as it is written.
    """

    digest: str
    lock: str
    interpreter: Interpreter
    warnings: tuple[str, ...]
    has_mlflow: bool
    to_install: Lock = field(repr=False)
    relaxations: tuple[Relaxation, ...] = ()

    @property
    def python_version(self) -> str:
        """`3.10.13`."""
        return self.interpreter.version


class Resolving:
    """Every choice that is made before anything is installed. Every method may be called from any thread and process."""

    def __init__(self, folder: Path, environ: Mapping[str, str], uv: Uv) -> None:
        self._folder = folder
        self._environ = environ
        self._uv = uv
        self._interpreters = Interpreters(folder / "interpreters.json", environ)

    def check(self, request: EnvironmentRequest) -> tuple[Problem, ...]:
        """Everything wrong with a request that can be seen without the network: names, forms, and the Python."""
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        return (*recipe.problems, choice) if isinstance(choice, Problem) else recipe.problems

    def warnings(self, request: EnvironmentRequest) -> tuple[str, ...]:
        """What would be taken otherwise than written, as far as it shows without the network."""
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        return _warnings(recipe, choice) if isinstance(choice, Chosen) else recipe.warnings

    def resolve(
        self, request: EnvironmentRequest, say: Callable[[str], None] = lambda _: None, *, fresh: bool = False
    ) -> LockedEnvironment:
        """Every package with its version. The same request gives the same lock later, unless it is asked for `fresh`.

        Raises EnvironmentCannotBeBuilt: the problems of `check`, contradicting pins, an index that is out of reach.
        """
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        if isinstance(choice, Problem):
            raise _refused(request, (*recipe.problems, choice))
        if recipe.problems:
            raise _refused(request, recipe.problems)
        lock = self._lock_of(request, recipe, choice.interpreter, say, fresh=fresh)
        return LockedEnvironment(
            digest=_digest(lock.text, *_facts(choice.interpreter)),
            lock=lock.text,
            interpreter=choice.interpreter,
            warnings=(*_warnings(recipe, choice), *lock.warnings),
            has_mlflow=_HAS_MLFLOW.search(lock.text) is not None,
            to_install=lock,
        )

    def foreseen(self, request: EnvironmentRequest) -> str | None:
        """The digest that `resolve` gives, without asking the network or uv; None where nobody has resolved it yet."""
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        if not isinstance(choice, Chosen):
            return None
        lock = _read_lock(self._lock_record(recipe, choice.interpreter))
        return None if lock is None else _digest(lock.text, *_facts(choice.interpreter))

    def _choose(self, request: EnvironmentRequest, recipe: Recipe) -> Chosen | Problem:
        allowed = request.allow_nearest_python or _nearest_is_allowed(self._environ)
        return choose_python(
            recipe.wish, self._interpreters.found(), nearest_allowed=allowed, running=running_version()
        )

    def _lock_record(self, recipe: Recipe, interpreter: Interpreter) -> Path:
        """Where the lock of a request is kept."""
        asked = sorted(one.requirement for one in recipe.ask.wanted)
        name = _digest(
            str(_LOCK_SCHEMA),
            *_facts(interpreter),
            *asked,
            "",
            *recipe.ask.option_lines,
            "",
            *recipe.ask.arguments,
        )
        return self._folder / "requests" / f"{name[:_NAME_LENGTH]}.json"

    def _lock_of(
        self,
        request: EnvironmentRequest,
        recipe: Recipe,
        interpreter: Interpreter,
        say: Callable[[str], None],
        *,
        fresh: bool,
    ) -> Lock:
        record = self._lock_record(recipe, interpreter)
        lock = None if fresh else _read_lock(record)
        if lock is not None:
            return lock
        with locked(self._folder / "locks" / f"request-{record.stem}"):
            lock = None if fresh else _read_lock(record)
            if lock is not None:
                return lock
            say(f"resolving environment `{request.label}` for Python {interpreter.version}")
            try:
                lock = resolve(recipe.ask, interpreter, self._uv, say)
            except UvFailed as failure:
                raise cannot_be_built(
                    failure, request.label, recipe.ask.wanted, interpreter, self._uv
                ) from failure
            write_atomically(
                record, json.dumps({"schema": _LOCK_SCHEMA, "label": request.label, **asdict(lock)}, indent=1)
            )
            return lock


def _nearest_is_allowed(environ: Mapping[str, str]) -> bool:
    value = setting("PENSTOCK_PYTHON", environ).strip().lower()
    if value not in ("exact", "nearest"):
        raise PenstockError(
            f"PENSTOCK_PYTHON is `{value}`, which means nothing",
            hint="set it to `exact` or `nearest`, or unset it",
        )
    return value == "nearest"


def _warnings(recipe: Recipe, choice: Chosen) -> tuple[str, ...]:
    if choice.warning is None:
        return recipe.warnings
    if recipe.is_image_only:  # one warning for an image, whatever there is to say
        return tuple(f"{warning}; {choice.warning}" for warning in recipe.warnings)
    return (*recipe.warnings, choice.warning)


def _refused(request: EnvironmentRequest, problems: Iterable[Problem]) -> EnvironmentCannotBeBuilt:
    problems = tuple(problems)
    hints = [problem.hint for problem in problems if problem.hint]
    return EnvironmentCannotBeBuilt(
        f"environment `{request.label}` cannot be built",
        details=[f"{problem.pointer}  {problem.message}" for problem in problems],
        hint=hints[0] if len(hints) == 1 else "\n".join(dict.fromkeys(hints)) or None,
    )


def _facts(interpreter: Interpreter) -> tuple[str, str, str]:
    return interpreter.version, interpreter.implementation, interpreter.platform


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def _read_lock(record: Path) -> Lock | None:
    try:
        content = json.loads(record.read_text("utf-8"))
        return Lock(
            pins=content["pins"],
            option_lines=tuple(content["option_lines"]),
            arguments=tuple(content["arguments"]),
            warnings=tuple(content["warnings"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # damaged: resolved anew
