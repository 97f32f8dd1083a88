"""The room's entry: check a request, resolve it to a lock, have it built once, lay a job's own layer over it."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.environments.building import Built, build, read_built, remove_tree
from penstock.environments.conda_file import names_of
from penstock.environments.conda_packages.lock import CondaLock
from penstock.environments.conda_packages.way import (
    CondaPackages,
    FindBackend,
    first_of_machine,
    is_for_conda,
)
from penstock.environments.files import locked
from penstock.environments.interpreters import Interpreter
from penstock.environments.overlay import lay_over
from penstock.environments.recipes import EnvironmentRequest, recipe_of
from penstock.environments.relaxation import Registered, Relaxation
from penstock.environments.resolving import LockedEnvironment, Resolving
from penstock.environments.shelf import InstalledEnvironment, Shelf, name_of
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import Conflict, PenstockError, Problem

__all__ = [
    "EnvironmentRequest",
    "Environments",
    "InstalledEnvironment",
    "LockedEnvironment",
    "ReadyEnvironment",
    "Registered",
    "Relaxation",
]


@dataclass(frozen=True)
class ReadyEnvironment:
    """An environment that is on disk, shared by all who use it: nothing may be written into `prefix`.

    `variables` are those that its commands are to have.
    """

    digest: str
    prefix: Path
    python: Path
    lock: str
    python_version: str
    warnings: tuple[str, ...]
    has_mlflow: bool
    relaxations: tuple[Relaxation, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


class Environments:
    """All environments of this machine, in one folder. Every method may be called from any thread and process."""

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        find_conda: FindBackend = first_of_machine,
    ) -> None:
        """`find_conda` says which program installs conda packages, for who asks for real ones."""
        variables = dict(os.environ if environ is None else environ)
        self._uv = Uv(folder, variables)
        self._resolving = Resolving(folder, variables, self._uv)
        self._shelf = Shelf(folder, self._uv)
        self._conda = CondaPackages(folder, variables, self._uv, self._shelf, find_conda)

    def check(self, request: EnvironmentRequest) -> tuple[Problem, ...]:
        """Everything wrong with a request that can be seen without the network: names, forms, and the Python."""
        return self._way(request).check(request)

    def warnings(self, request: EnvironmentRequest) -> tuple[str, ...]:
        """What would be taken otherwise than written, as far as it shows without the network."""
        return self._way(request).warnings(request)

    def obstacles(
        self, request: EnvironmentRequest, say: Callable[[str], None] = lambda _: None
    ) -> tuple[Problem, ...]:
        """Everything that keeps the request from being built as it is written, each with its line and a remedy.

        Asks the index too, which takes seconds; `say` hears what is being asked, and that it does not answer.
        """
        return self._way(request).obstacles(request, say)

    def resolve(
        self, request: EnvironmentRequest, say: Callable[[str], None] = lambda _: None, *, fresh: bool = False
    ) -> LockedEnvironment:
        """Every package with its version. The same request gives the same lock later, unless it is asked for `fresh`.

        Raises EnvironmentCannotBeBuilt: the problems of `check`, contradicting pins, an index that is out of reach.
        """
        asked = request if fresh else self._settled(request)
        return self._way(asked).resolve(asked, say, fresh=fresh)

    def foreseen(self, request: EnvironmentRequest) -> tuple[str | None, bool]:
        """The digest of what `ensure` gives, None where nobody has resolved the request yet, and whether it is built.

        Asks neither the network nor uv.
        """
        settled = self._settled(request)
        digest = self._way(settled).foreseen(settled)
        return digest, self._is_built(digest)

    def _settled(self, request: EnvironmentRequest) -> EnvironmentRequest:
        """The request as it is written, where it may be relaxed and that is built: it can be had, so nobody is asked.

        What was once chosen for it stays, and what a version was registered with.
        """
        if not request.relax or request.registered is not None or is_for_conda(request):
            return request
        if self._resolving.foreseen(request) is not None:
            return request
        as_written = replace(request, relax=False)
        return as_written if self._is_built(self._resolving.foreseen(as_written)) else request

    def _is_built(self, digest: str | None) -> bool:
        return digest is not None and read_built(self._shelf.prefix(digest)) is not None

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
        prefix = self._shelf.prefix(built.digest)
        return ReadyEnvironment(
            digest=built.digest,
            prefix=prefix,
            python=prefix / "bin" / "python",
            lock=built.lock,
            python_version=built.python_version,
            warnings=(*environment.warnings, *built.cannot_import),
            has_mlflow=environment.has_mlflow,
            relaxations=environment.relaxations,
            variables=built.variables,
        )

    def overlay(self, ready: ReadyEnvironment, folder: Path) -> Path:
        """A private layer over a shared environment, in `folder`; returns its `bin` folder, to be first on PATH.

        What a command installs with pip lands there. The environment counts as in use as long as `folder` exists.
        """
        existed = folder.exists()
        with locked(self._shelf.lock_file(ready.digest), shared=True):
            built = read_built(ready.prefix)
            if built is None:
                raise Conflict(
                    f"environment {ready.digest[:12]} was removed before it could be used",
                    hint="run the job again; the environment is then built anew",
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._shelf.uses.hold(name_of(ready.digest), folder.absolute())
                return lay_over(ready.prefix, built, folder.absolute())
            except BaseException:
                if not existed:
                    remove_tree(folder)
                raise

    def hold(self, digest: str, by: Path) -> None:
        """Keep an environment from being removed as long as the folder `by` exists: for uses without an overlay."""
        self._shelf.hold(digest, by)

    def installed(self) -> list[InstalledEnvironment]:
        """Every built environment, the longest unused first."""
        return self._shelf.installed()

    def packages(self, digest: str) -> dict[str, str] | None:
        """Version by package name of a built environment; None where there is none of this digest."""
        return self._shelf.packages(digest)

    def remove(self, digest: str) -> int:
        """Remove an environment and return its size in bytes. Raises Conflict while something uses or builds it."""
        return self._shelf.remove(digest)

    def remove_unfinished(self) -> int:
        """Remove what killed builds left behind and nobody asked for since; returns how many folders went."""
        return self._shelf.remove_unfinished()

    def sizes(self) -> dict[str, int]:
        """Bytes on disk of `environments` and of `cache`; a file that both share counts for the environments."""
        return self._shelf.sizes()

    def clear_cache(self) -> int:
        """Empty the cache of downloads and return the bytes on disk that this freed. A user's own cache is left alone."""
        return self._shelf.clear_cache()

    def _way(self, request: EnvironmentRequest) -> Resolving | CondaPackages:
        """Who knows what the request comes to: packages of PyPI, or conda's own."""
        return self._conda if is_for_conda(request) else self._resolving

    def _built(
        self, environment: LockedEnvironment, request: EnvironmentRequest, say: Callable[[str], None]
    ) -> Built:
        prefix = self._shelf.prefix(environment.digest)
        built = read_built(prefix)
        if built is None:
            built = self._build(environment, request, prefix, say)
        self._shelf.uses.note(prefix.name)
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

        with locked(self._shelf.lock_file(environment.digest), when_taken=somebody_else) as descriptor:
            built = read_built(prefix)
            if built is not None:
                return built
            to_install, python = environment.to_install, environment.interpreter
            say(
                f"building environment `{request.label}`: Python {python.version}, {to_install.count} packages"
            )
            began = time.monotonic()
            if isinstance(to_install, CondaLock):
                built = self._conda.build(environment, to_install, request, say, descriptor)
            else:
                built = build(
                    prefix,
                    environment.digest,
                    to_install,
                    python,
                    self._uv,
                    say,
                    descriptor,
                    to_import=names_of(recipe_of(request).ask.wanted) if request.relax else (),
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
        return self._way(request).explained(failure, request, interpreter, say)
