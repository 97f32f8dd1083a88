"""From a request to a lock: which Python, which release of every package. Locks are kept: the same request, the same lock."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.environments.conda_packages.lock import CondaLock
from penstock.environments.explanations import all_of_it, cannot_be_built, in_short, with_all_of_it
from penstock.environments.files import locked, write_atomically
from penstock.environments.interpreters import Interpreter, Interpreters, running_version
from penstock.environments.locking import Lock, digest_of, read_lock, resolve
from penstock.environments.neighbours import limits_of_python
from penstock.environments.obstacles import obstacles
from penstock.environments.pinned_lines import line_of
from penstock.environments.python_choice import Chosen, by_nearness, choose_python
from penstock.environments.recipes import EnvironmentRequest, Recipe, recipe_of
from penstock.environments.registered import as_registered, differences_on
from penstock.environments.relaxation import Relaxation
from penstock.environments.relaxed_locks import RelaxedLocks, cannot_be_relaxed
from penstock.environments.releases import Budget, Releases
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import PenstockError, Problem
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
    to_install: Lock | CondaLock = field(repr=False)
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
        self._relaxed = RelaxedLocks(folder, uv)

    def check(self, request: EnvironmentRequest) -> tuple[Problem, ...]:
        """Everything wrong with a request that can be seen without the network: names, forms, and the Python.

        Where the request may be relaxed, only what cannot be read stays, or that there is no Python at all.
        """
        recipe = recipe_of(request)
        if request.relax and self._interpreters.found():
            return cannot_be_relaxed(recipe.problems)
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
        if request.relax:
            registered = None if fresh else self._resolve_registered(request, recipe, say)
            return registered or self._resolve_relaxed(request, recipe, say, fresh=fresh)
        choice = self._choose(request, recipe)
        if isinstance(choice, Problem) or recipe.problems:
            raise all_of_it(request, *self._obstacles(request, say))
        try:
            lock = self._lock_of(request, recipe, choice.interpreter, say, fresh=fresh)
        except UvFailed as failure:
            raise self.explained(failure, request, choice.interpreter, say) from failure
        return LockedEnvironment(
            digest=digest_of(lock.text, *_facts(choice.interpreter)),
            lock=lock.text,
            interpreter=choice.interpreter,
            warnings=(*_warnings(recipe, choice), *lock.warnings),
            has_mlflow=_HAS_MLFLOW.search(lock.text) is not None,
            to_install=lock,
        )

    def foreseen(self, request: EnvironmentRequest) -> str | None:
        """The digest that `resolve` gives, without asking the network or uv; None where nobody has resolved it yet."""
        recipe = recipe_of(request)
        if request.relax:
            pinned = as_registered(request, recipe, self._interpreters.found())
            if pinned is not None:
                lock = read_lock(self._lock_record(*pinned))
                return None if lock is None else digest_of(lock.text, *_facts(pinned[1]))
            known = self._relaxed.find(request, recipe, self._interpreters.found())
            return None if known is None else digest_of(known.lock.text, *_facts(known.interpreter))
        choice = self._choose(request, recipe)
        if not isinstance(choice, Chosen):
            return None
        lock = read_lock(self._lock_record(recipe, choice.interpreter))
        return None if lock is None else digest_of(lock.text, *_facts(choice.interpreter))

    def obstacles(
        self, request: EnvironmentRequest, say: Callable[[str], None] = lambda _: None
    ) -> tuple[Problem, ...]:
        """Everything that keeps the request from being built as it is written, each with its line and a remedy.

        Where the asked Python is absent, the packages are looked for on the nearest one. Where the index does not
        answer, `say` hears it, and what is known without it is returned.
        """
        problems, unknown = self._obstacles(request, say)
        if unknown is not None:
            say(unknown)
        return problems

    def _obstacles(
        self, request: EnvironmentRequest, say: Callable[[str], None]
    ) -> tuple[tuple[Problem, ...], str | None]:
        """The obstacles, and why they may not be all."""
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        known = (*recipe.problems, choice) if isinstance(choice, Problem) else recipe.problems
        present = self._interpreters.found()
        if not present or not recipe.ask.wanted:
            return known, None
        interpreter = (
            choice.interpreter
            if isinstance(choice, Chosen)
            else by_nearness(recipe.wish, present, running_version())[0]
        )
        releases = Releases(recipe.ask, interpreter, self._uv, say, Budget(request.label))
        try:
            # On a Python that nobody asked for, more breaks than metadata says.
            limits = limits_of_python(interpreter.minor) if isinstance(choice, Problem) else []
            found = obstacles([line_of(one) for one in recipe.ask.wanted], limits, releases)
        except UvFailed as failure:
            why = "the index cannot be reached" if failure.trouble is Trouble.NETWORK else "uv failed"
            return known, f"{why}, so the packages were not looked for: {in_short(failure.text)}"
        return (*known, *found), None

    def explained(
        self,
        failure: UvFailed,
        request: EnvironmentRequest,
        interpreter: Interpreter,
        say: Callable[[str], None],
    ) -> PenstockError:
        """What uv said, and what it did not come to: it ends at the first thing that cannot be had."""
        wanted = recipe_of(request).ask.wanted
        error = cannot_be_built(failure, request.label, wanted, interpreter, self._uv)
        if failure.trouble is Trouble.DISK or request.relax:
            return error
        problems, unknown = self._obstacles(request, say)
        absent = any(one.code == "not_found" for one in problems)
        # No contradiction after all, but things that are not to be had; or of the whole network one address.
        if absent and unknown is None and failure.trouble in (Trouble.CONFLICT, Trouble.NETWORK):
            return all_of_it(request, problems)
        return with_all_of_it(error, problems)

    def _resolve_relaxed(
        self, request: EnvironmentRequest, recipe: Recipe, say: Callable[[str], None], *, fresh: bool
    ) -> LockedEnvironment:
        if problems := self.check(request):
            raise all_of_it(request, problems)
        present = self._interpreters.found()
        try:
            relaxed = self._relaxed.get(request, recipe, present, say, fresh=fresh)
        except UvFailed as failure:
            nearest = by_nearness(recipe.wish, present, running_version())[0]
            raise cannot_be_built(failure, request.label, recipe.ask.wanted, nearest, self._uv) from failure
        return LockedEnvironment(
            digest=digest_of(relaxed.lock.text, *_facts(relaxed.interpreter)),
            lock=relaxed.lock.text,
            interpreter=relaxed.interpreter,
            warnings=(*recipe.warnings, *relaxed.lock.warnings),
            has_mlflow=_HAS_MLFLOW.search(relaxed.lock.text) is not None,
            to_install=relaxed.lock,
            relaxations=relaxed.relaxations,
        )

    def _resolve_registered(
        self, request: EnvironmentRequest, recipe: Recipe, say: Callable[[str], None]
    ) -> LockedEnvironment | None:
        """What the version was registered with; None where there is none, or it cannot be had any more."""
        pinned = as_registered(request, recipe, self._interpreters.found())
        if pinned is None or request.registered is None:
            return None
        interpreter = pinned[1]
        try:
            lock = self._lock_of(request, *pinned, say, fresh=False)
        except UvFailed as failure:
            if failure.trouble is not Trouble.CONFLICT:
                raise self.explained(failure, request, interpreter, say) from failure
            say(f"what environment `{request.label}` was registered with cannot be had any more")
            return None
        return LockedEnvironment(
            digest=digest_of(lock.text, *_facts(interpreter)),
            lock=lock.text,
            interpreter=interpreter,
            warnings=(*recipe.warnings, *lock.warnings),
            has_mlflow=_HAS_MLFLOW.search(lock.text) is not None,
            to_install=lock,
            relaxations=differences_on(interpreter, request.registered),
        )

    def _choose(self, request: EnvironmentRequest, recipe: Recipe) -> Chosen | Problem:
        allowed = request.allow_nearest_python or _nearest_is_allowed(self._environ)
        return choose_python(
            recipe.wish, self._interpreters.found(), nearest_allowed=allowed, running=running_version()
        )

    def _lock_record(self, recipe: Recipe, interpreter: Interpreter) -> Path:
        """Where the lock of a request is kept."""
        asked = sorted(one.requirement for one in recipe.ask.wanted)
        name = digest_of(
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
        lock = None if fresh else read_lock(record)
        if lock is not None:
            return lock
        with locked(self._folder / "locks" / f"request-{record.stem}"):
            lock = None if fresh else read_lock(record)
            if lock is not None:
                return lock
            say(f"resolving environment `{request.label}` for Python {interpreter.version}")
            lock = resolve(recipe.ask, interpreter, self._uv, say)
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


def _facts(interpreter: Interpreter) -> tuple[str, str, str]:
    return interpreter.version, interpreter.implementation, interpreter.platform
