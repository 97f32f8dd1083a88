"""The second way to an environment: a conda file's own packages, solved, locked, and installed into a prefix of their own."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.environments.building import Built, finished, made_anew
from penstock.environments.conda_packages.activation import compile_all, variables_of
from penstock.environments.conda_packages.asking import CondaAsk, read_for_conda
from penstock.environments.conda_packages.backend import CondaBackend, CondaFailed, Question
from penstock.environments.conda_packages.channels import (
    Channel,
    CondaConfiguration,
    plain,
    read_configuration,
)
from penstock.environments.conda_packages.explanations import conda_cannot, nothing_here, refused
from penstock.environments.conda_packages.lock import CondaLock, CondaPackage, version_numbers
from penstock.environments.conda_packages.pip_layer import install_locked, resolve_over
from penstock.environments.conda_packages.programs import find_program
from penstock.environments.conda_packages.rattler import Rattler, is_here
from penstock.environments.conda_packages.solving import (
    SCHEMA,
    Asked,
    check_python,
    solved,
    subdir_of_machine,
    thrown_away,
)
from penstock.environments.explanations import cannot_be_built
from penstock.environments.files import locked, write_atomically
from penstock.environments.interpreters import Interpreter
from penstock.environments.locking import digest_of
from penstock.environments.recipes import EnvironmentRequest, notes_on
from penstock.environments.resolving import LockedEnvironment
from penstock.environments.shelf import Shelf
from penstock.environments.uv import Uv, UvFailed
from penstock.errors import PenstockError, Problem

Say = Callable[[str], None]
FindBackend = Callable[[Path, Path, Mapping[str, str], CondaConfiguration], CondaBackend | None]

_NAME_LENGTH = 32


def is_for_conda(request: EnvironmentRequest) -> bool:
    """Whether the request goes this way: the user asks for it, and there is a conda file."""
    return request.conda_packages == "conda" and request.conda is not None


def first_of_machine(
    folder: Path, cache: Path, environ: Mapping[str, str], configuration: CondaConfiguration
) -> CondaBackend | None:
    """py-rattler where it can be imported, else micromamba, mamba or conda, else nothing."""
    if is_here():
        own = Path(environ.get("RATTLER_CACHE_DIR") or cache / "rattler")
        return Rattler(folder, own, environ, configuration)
    return find_program(folder, cache, environ, configuration)


class CondaPackages:
    """Environments of real conda packages. Every method may be called from any thread and process."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        uv: Uv,
        shelf: Shelf,
        find_backend: FindBackend,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._uv = uv
        self._shelf = shelf
        self._find_backend = find_backend

    def check(self, request: EnvironmentRequest) -> tuple[Problem, ...]:
        """Everything wrong with a request that can be seen without the network: its form, and whether there is a program."""
        ask = self._read(request)
        if self._backend() is None:
            return (*ask.problems, nothing_here(f"{request.pointer}/conda_file"))
        return ask.problems

    def obstacles(self, request: EnvironmentRequest, say: Say = lambda _: None) -> tuple[Problem, ...]:
        """As `check`: what the channels do not have, only the solver knows."""
        return self.check(request)

    def warnings(self, request: EnvironmentRequest) -> tuple[str, ...]:
        """What would be taken otherwise than written, as far as it shows without the network."""
        return notes_on(request, self._read(request).warnings)

    def foreseen(self, request: EnvironmentRequest) -> str | None:
        """The digest that `resolve` gives, without asking anybody; None where nobody has solved it yet."""
        lock = self._kept(self._asked(request))
        return None if lock is None else digest_of("conda", lock.text)

    def resolve(self, request: EnvironmentRequest, say: Say, *, fresh: bool = False) -> LockedEnvironment:
        """Every package by address and hash. The same request gives the same lock later, unless it is asked for `fresh`.

        Raises EnvironmentCannotBeBuilt: the problems of `check`, what cannot be solved, a channel out of reach.
        """
        problems = self.check(request)
        if problems:
            raise refused(request.label, problems)
        asked = self._asked(request)
        lock = None if fresh else self._kept(asked)
        if lock is None:
            with locked(self._folder / "locks" / f"request-{asked.name[:_NAME_LENGTH]}"):
                lock = None if fresh else self._kept(asked)
                if lock is None:
                    lock = self._made(asked, say)
                    write_atomically(self._record(asked), _record_of(lock, request.label))
        return self._locked(request, asked, lock)

    def build(
        self,
        environment: LockedEnvironment,
        lock: CondaLock,
        request: EnvironmentRequest,
        say: Say,
        held: int,
    ) -> Built:
        """Build the environment from nothing. The caller holds the lock of its digest, whose descriptor is `held`.

        Raises UvFailed (CondaFailed among them) and StorageFull; then nothing is left. The marker is written last.
        """
        prefix = self._shelf.prefix(environment.digest)
        backend = self._present_backend(request)
        say(f"installing {len(lock.packages)} conda packages with {backend.name}")
        with made_anew(prefix), self._shelf.conda_cache_in_use() as cache_held:
            held_open = (held, cache_held)
            channels = self._asked(request).question.channels
            backend.install(lock.packages, channels, prefix, say, held_open)
            install_locked(prefix, lock.pip, self._uv, say, held_open)
            compile_all(prefix)
            return finished(
                prefix,
                environment.digest,
                environment.python_version,
                lock.text,
                variables=variables_of(prefix, lock.variables),
                made_by=backend.name,
            )

    def explained(
        self,
        failure: UvFailed,
        request: EnvironmentRequest,
        interpreter: Interpreter,
        say: Say = lambda _: None,
    ) -> PenstockError:
        """The error for a build or a solve that failed; `interpreter` is the environment's own Python."""
        asked = self._asked(request)
        if isinstance(failure, CondaFailed):
            return conda_cannot(failure, request.label, asked.ask, asked.question.channels, self._uv)
        return cannot_be_built(failure, request.label, asked.ask.pip, interpreter, self._uv)

    def _read(self, request: EnvironmentRequest) -> CondaAsk:
        return read_for_conda(request.conda, f"{request.pointer}/conda_file")

    def _asked(self, request: EnvironmentRequest) -> Asked:
        ask, configuration = self._read(request), read_configuration(self._environ)
        channels = list(configuration.in_order(ask.channels))
        for line in ask.lines:  # a channel that only one line names is asked too, after the others
            for address in configuration.addresses(line.channel) if line.channel else ():
                if plain(address) not in {channel.plain for channel in channels}:
                    channels.append(Channel(address))
        question = Question(
            tuple(line.text for line in ask.lines),
            tuple(channels),
            configuration.channel_priority,
            subdir_of_machine(),
        )
        return Asked(request, ask, question)

    def _backend(self) -> CondaBackend | None:
        configuration = read_configuration(self._environ)
        return self._find_backend(
            self._uv.made_folder(), self._shelf.conda_cache, self._environ, configuration
        )

    def _present_backend(self, request: EnvironmentRequest) -> CondaBackend:
        backend = self._backend()
        if backend is None:  # it was there when the lock was made
            raise refused(request.label, [nothing_here(f"{request.pointer}/conda_file")])
        return backend

    def _record(self, asked: Asked) -> Path:
        return self._folder / "requests" / f"{asked.name[:_NAME_LENGTH]}.json"

    def _kept(self, asked: Asked) -> CondaLock | None:
        try:
            return CondaLock.from_record(json.loads(self._record(asked).read_text("utf-8"))["conda"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # damaged: solved anew

    def _made(self, asked: Asked, say: Say) -> CondaLock:
        """Solve; where there is a pip section, install what was solved into a prefix that is thrown away, and pip's over it."""
        request, backend = asked.request, self._present_backend(asked.request)
        say(f"solving environment `{request.label}` with {backend.name}")
        scratch_digest = digest_of("thrown away", asked.name)
        scratch = self._shelf.prefix(scratch_digest)
        packages: tuple[CondaPackage, ...] = ()
        try:
            with (
                locked(self._shelf.lock_file(scratch_digest)) as held,
                self._shelf.conda_cache_in_use() as cache_held,
                thrown_away(scratch),
            ):
                held_open = (held, cache_held)
                packages, warnings = solved(asked, backend, scratch, say, held_open)
                check_python(asked, packages)
                if asked.ask.pip and not (scratch / "conda-meta").is_dir():
                    say(f"installing {len(packages)} conda packages to see what pip's section adds")
                    backend.install(packages, asked.question.channels, scratch, say, held_open)
                pip, replaced = resolve_over(scratch, asked.ask, self._uv, say, held_open)
        except UvFailed as failure:
            for line in failure.text.splitlines():
                say(line)
            raise self.explained(failure, request, _python_of(packages, scratch)) from failure
        return CondaLock(
            packages=packages,
            subdir=asked.question.subdir,
            made_by=backend.name,
            pip=pip,
            variables=asked.ask.variables,
            warnings=(*warnings, *replaced),
        )

    def _locked(self, request: EnvironmentRequest, asked: Asked, lock: CondaLock) -> LockedEnvironment:
        digest = digest_of("conda", lock.text)
        return LockedEnvironment(
            digest=digest,
            lock=lock.text,
            interpreter=_python_of(lock.packages, self._shelf.prefix(digest)),
            warnings=(*notes_on(request, asked.ask.warnings), *lock.warnings),
            has_mlflow=lock.has_mlflow,
            to_install=lock,
        )


def _python_of(packages: Sequence[CondaPackage], prefix: Path) -> Interpreter:
    """The environment's own Python; 0.0.0 where nothing is solved yet."""
    version = next((one.version for one in packages if one.name == "python"), "")
    return Interpreter(version_numbers(version), prefix / "bin" / "python", "CPython", subdir_of_machine())


def _record_of(lock: CondaLock, label: str) -> str:
    return json.dumps({"schema": SCHEMA, "label": label, "conda": lock.as_record()}, indent=1)
