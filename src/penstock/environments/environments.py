"""The room's entry: check a request, resolve it to a lock, have it built once, lay a job's own layer over it."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penstock.environments.building import Built, build, read_built, remove_tree
from penstock.environments.conda_file import Wanted
from penstock.environments.explanations import cannot_be_built
from penstock.environments.files import locked, write_atomically
from penstock.environments.interpreters import Interpreter, Interpreters, running_version
from penstock.environments.locking import Lock, resolve, versions_in
from penstock.environments.overlay import lay_over
from penstock.environments.python_choice import Chosen, choose_python
from penstock.environments.recipes import EnvironmentRequest, Recipe, recipe_of
from penstock.environments.uses import Uses
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import Conflict, EnvironmentCannotBeBuilt, NotFound, PenstockError, Problem
from penstock.settings import setting

__all__ = [
    "EnvironmentRequest",
    "Environments",
    "InstalledEnvironment",
    "LockedEnvironment",
    "ReadyEnvironment",
]

_LOCK_SCHEMA = 1
"""Part of every request's digest: raise it when the same request should be resolved anew."""

_HAS_MLFLOW = re.compile(r"^mlflow(?:-skinny)?\s*(?:==|@)", re.MULTILINE)
_NAME_LENGTH = 32
"""Folders are named by this much of the digest: scripts hold the path in their first line, which must stay short."""


@dataclass(frozen=True)
class LockedEnvironment:
    """A request with every choice made. `digest` (64 hex) names what it will be, wherever it is built."""

    digest: str
    lock: str
    interpreter: Interpreter
    warnings: tuple[str, ...]
    has_mlflow: bool
    to_install: Lock = field(repr=False)

    @property
    def python_version(self) -> str:
        """`3.10.13`."""
        return self.interpreter.version


@dataclass(frozen=True)
class ReadyEnvironment:
    """An environment that is on disk, shared by all who use it: nothing may be written into `prefix`."""

    digest: str
    prefix: Path
    python: Path
    lock: str
    python_version: str
    warnings: tuple[str, ...]
    has_mlflow: bool


@dataclass(frozen=True)
class InstalledEnvironment:
    """One built environment. `bytes` is what its files take; those that the cache shares are freed with the cache.

    `last_used` is epoch seconds; `used_by` are the folders, a job's or a deployment's, that hold it.
    """

    digest: str
    python_version: str
    packages: int
    bytes: int
    last_used: float
    used_by: tuple[Path, ...]


class Environments:
    """All environments of this machine, in one folder. Every method may be called from any thread and process."""

    def __init__(self, folder: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environ = dict(os.environ if environ is None else environ)
        self._uv = Uv(folder, self._environ)
        self._uses = Uses(folder / "uses")
        self._interpreters = Interpreters(folder / "interpreters.json", self._environ)

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

    def foreseen(self, request: EnvironmentRequest) -> tuple[str | None, bool]:
        """The digest of what `ensure` gives, None where nobody has resolved the request yet, and whether it is built.

        Asks neither the network nor uv.
        """
        recipe = recipe_of(request)
        choice = self._choose(request, recipe)
        lock = (
            _read_lock(self._lock_record(recipe, choice.interpreter)) if isinstance(choice, Chosen) else None
        )
        if lock is None or not isinstance(choice, Chosen):
            return None, False
        digest = _digest(lock.text, *_facts(choice.interpreter))
        return digest, read_built(self._prefix(digest)) is not None

    def ensure(self, request: EnvironmentRequest, say: Callable[[str], None]) -> ReadyEnvironment:
        """The environment, built if it is not there yet. However many ask at once, one builds and the others wait.

        `say` hears progress, a line at a time, from this thread. Raises EnvironmentCannotBeBuilt and StorageFull; then
        nothing half-made is left.
        """
        environment = self.resolve(request, say)
        try:
            built = self._built(environment, request, say)
        except UvFailed as failure:
            if failure.trouble in (Trouble.DISK, Trouble.NETWORK):
                raise self._explained(failure, request, environment.interpreter, say) from failure
            # A lock can go stale: a file that it names was withdrawn. Then today's answer may differ.
            renewed = self.resolve(request, say, fresh=True)
            if renewed.digest == environment.digest:
                raise self._explained(failure, request, environment.interpreter, say) from failure
            say("the lock of this environment cannot be installed any more; a new one was made")
            environment = renewed
            try:
                built = self._built(environment, request, say)
            except UvFailed as again:
                raise self._explained(again, request, environment.interpreter, say) from again
        prefix = self._prefix(built.digest)
        return ReadyEnvironment(
            digest=built.digest,
            prefix=prefix,
            python=prefix / "bin" / "python",
            lock=built.lock,
            python_version=built.python_version,
            warnings=environment.warnings,
            has_mlflow=environment.has_mlflow,
        )

    def overlay(self, ready: ReadyEnvironment, folder: Path) -> Path:
        """A private layer over a shared environment, in `folder`; returns its `bin` folder, to be first on PATH.

        What a command installs with pip lands there. The environment counts as in use as long as `folder` exists.
        """
        existed = folder.exists()
        with locked(self._lock_file(ready.digest), shared=True):
            built = read_built(ready.prefix)
            if built is None:
                raise Conflict(
                    f"environment {ready.digest[:12]} was removed before it could be used",
                    hint="run the job again; the environment is then built anew",
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._uses.hold(_name(ready.digest), folder.absolute())
                return lay_over(ready.prefix, built, folder.absolute())
            except BaseException:
                if not existed:
                    remove_tree(folder)
                raise

    def hold(self, digest: str, by: Path) -> None:
        """Keep an environment from being removed as long as the folder `by` exists: for uses without an overlay."""
        with locked(self._lock_file(digest), shared=True):
            if read_built(self._prefix(digest)) is None:
                raise NotFound(
                    f"there is no environment {digest[:12]}", hint="ask for it with `ensure` first"
                )
            self._uses.hold(_name(digest), by.absolute())

    def installed(self) -> list[InstalledEnvironment]:
        """Every built environment, the longest unused first."""
        found = [self._installed(prefix) for prefix in self._prefixes()]
        return sorted((one for one in found if one is not None), key=lambda one: (one.last_used, one.digest))

    def packages(self, digest: str) -> dict[str, str] | None:
        """Version by package name of a built environment; None where there is none of this digest."""
        built = read_built(self._prefix(digest))
        return None if built is None else versions_in(built.lock)

    def remove(self, digest: str) -> int:
        """Remove an environment and return its size in bytes. Raises Conflict while something uses or builds it."""

        def refuse() -> None:
            raise Conflict(
                f"environment {digest[:12]} is being built or taken into use", hint="try again later"
            )

        prefix = self._prefix(digest)
        with locked(self._lock_file(digest), when_taken=refuse):
            built = read_built(prefix)
            if built is None and not prefix.exists():
                raise NotFound(f"there is no environment {digest[:12]}")
            holders = self._uses.holders(prefix.name)
            if holders and built is not None:
                raise Conflict(
                    f"environment {digest[:12]} is in use",
                    details=[f"used by {holder}" for holder in holders],
                    hint="wait for the job to end, or cancel it",
                )
            remove_tree(prefix)
            self._uses.forget(prefix.name)
        return built.bytes if built is not None else 0

    def remove_unfinished(self) -> int:
        """Remove what killed builds left behind and nobody asked for since; returns how many folders went."""
        removed = 0
        for prefix in self._prefixes():
            if read_built(prefix) is None:
                try:
                    self.remove(prefix.name)
                    removed += 1
                except (Conflict, NotFound):
                    continue  # it is being built right now, or another process removed it
        return removed

    def sizes(self) -> dict[str, int]:
        """Bytes on disk of `environments` and of `cache`; a file that both share counts for the environments."""
        seen: set[tuple[int, int]] = set()
        return {
            "environments": _disk_use(self._folder / "built", seen),
            "cache": _disk_use(self._uv.cache, seen) if self._owns_cache() else 0,
        }

    def clear_cache(self) -> int:
        """Empty the cache of downloads and return the bytes on disk that this freed. A user's own cache is left alone."""
        if not self._owns_cache() or not self._uv.cache.is_dir():
            return 0
        before = sum(self.sizes().values())
        try:
            self._uv.run(["cache", "clean"], say=lambda _: None)
        except UvFailed as failure:
            raise PenstockError(
                "the cache of downloads cannot be emptied", details=failure.text.splitlines()
            ) from failure
        return before - sum(self.sizes().values())

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

    def _built(
        self, environment: LockedEnvironment, request: EnvironmentRequest, say: Callable[[str], None]
    ) -> Built:
        prefix = self._prefix(environment.digest)
        built = read_built(prefix)
        if built is None:
            built = self._build(environment, request, prefix, say)
        self._uses.note(prefix.name)
        return built

    def _build(
        self,
        environment: LockedEnvironment,
        request: EnvironmentRequest,
        prefix: Path,
        say: Callable[[str], None],
    ) -> Built:
        def somebody_else() -> None:
            say(f"waiting for environment `{request.label}`, which is being built for somebody else")

        with locked(self._lock_file(environment.digest), when_taken=somebody_else) as descriptor:
            built = read_built(prefix)
            if built is not None:
                return built
            count = len(environment.to_install.pins.splitlines())
            say(
                f"building environment `{request.label}`: Python {environment.python_version}, {count} packages"
            )
            began = time.monotonic()
            built = build(
                prefix,
                environment.digest,
                environment.to_install,
                environment.interpreter,
                self._uv,
                say,
                descriptor,
            )
            say(f"built environment `{request.label}` in {time.monotonic() - began:.1f} s")
            return built

    def _explained(
        self,
        failure: UvFailed,
        request: EnvironmentRequest,
        interpreter: Interpreter,
        say: Callable[[str], None],
    ) -> PenstockError:
        """The error in a few lines; all that uv said goes to the log."""
        for line in failure.text.splitlines():
            say(line)
        wanted: tuple[Wanted, ...] = recipe_of(request).ask.wanted
        return cannot_be_built(failure, request.label, wanted, interpreter, self._uv)

    def _installed(self, prefix: Path) -> InstalledEnvironment | None:
        built = read_built(prefix)
        if built is None:
            return None
        try:
            last = self._uses.last(prefix.name) or prefix.stat().st_mtime
        except FileNotFoundError:
            return None  # removed a moment ago
        return InstalledEnvironment(
            digest=built.digest,
            python_version=built.python_version,
            packages=sum(1 for line in built.lock.splitlines() if line and not line.startswith("-")),
            bytes=built.bytes,
            last_used=last,
            used_by=self._uses.holders(prefix.name),
        )

    def _prefix(self, digest: str) -> Path:
        return self._folder / "built" / _name(digest)

    def _prefixes(self) -> list[Path]:
        try:
            return sorted(path for path in (self._folder / "built").iterdir() if path.is_dir())
        except FileNotFoundError:
            return []

    def _lock_file(self, digest: str) -> Path:
        return self._folder / "locks" / _name(digest)

    def _owns_cache(self) -> bool:
        return self._uv.cache.is_relative_to(self._folder)


def _name(digest: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32,64}", digest):
        raise NotFound(f"`{digest}` is no digest of an environment", hint="it has 64 hexadecimal digits")
    return digest[:_NAME_LENGTH]


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


def _disk_use(folder: Path, seen: set[tuple[int, int]]) -> int:
    """Bytes on disk below the folder, each file once, adding to `seen`."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = Path(parent, name).lstat()
            except FileNotFoundError:
                continue  # a build goes on meanwhile
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total
