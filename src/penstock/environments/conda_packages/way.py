"""The second way to an environment: a conda file's own packages, solved, locked, and installed into a prefix of their own."""

import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.environments.building import Built, finished, made_anew, remove_tree
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
from penstock.environments.explanations import cannot_be_built
from penstock.environments.files import disk_errors_named, locked, write_atomically
from penstock.environments.interpreters import OLDEST, Interpreter
from penstock.environments.locking import digest_of
from penstock.environments.recipes import EnvironmentRequest, notes_on
from penstock.environments.resolving import LockedEnvironment
from penstock.environments.shelf import Shelf
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError, Problem

Say = Callable[[str], None]
FindBackend = Callable[[Path, Path, Mapping[str, str], CondaConfiguration], CondaBackend | None]

_SCHEMA = 1
"""Part of every request's digest: raise it when the same request should be solved anew."""
_NAME_LENGTH = 32
_PIP = "pip"


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


@dataclass(frozen=True)
class _Asked:
    """A request with what the user told conda: everything that decides what is solved."""

    request: EnvironmentRequest
    ask: CondaAsk
    question: Question

    @property
    def name(self) -> str:
        """The digest of what is asked, which names the record of its lock. No credentials decide anything."""
        parts = [
            str(_SCHEMA),
            self.question.subdir,
            self.question.priority,
            *sorted(line.text for line in self.ask.lines),
            "",
            *(channel.plain for channel in self.question.channels),
            "",
            *sorted(one.requirement for one in self.ask.pip),
            "",
            *self.ask.option_lines,
            "",
            *self.ask.arguments,
            "",
            *(f"{name}={value}" for name, value in sorted(self.ask.variables.items())),
        ]
        return digest_of("asked of conda", *parts)


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

    def _asked(self, request: EnvironmentRequest) -> _Asked:
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
        return _Asked(request, ask, question)

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

    def _record(self, asked: _Asked) -> Path:
        return self._folder / "requests" / f"{asked.name[:_NAME_LENGTH]}.json"

    def _kept(self, asked: _Asked) -> CondaLock | None:
        try:
            return CondaLock.from_record(json.loads(self._record(asked).read_text("utf-8"))["conda"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # damaged: solved anew

    def _made(self, asked: _Asked, say: Say) -> CondaLock:
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
                packages, warnings = _solved(asked, backend, scratch, say, held_open)
                _check_python(asked, packages)
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

    def _locked(self, request: EnvironmentRequest, asked: _Asked, lock: CondaLock) -> LockedEnvironment:
        digest = digest_of("conda", lock.text)
        return LockedEnvironment(
            digest=digest,
            lock=lock.text,
            interpreter=_python_of(lock.packages, self._shelf.prefix(digest)),
            warnings=(*notes_on(request, asked.ask.warnings), *lock.warnings),
            has_mlflow=lock.has_mlflow,
            to_install=lock,
        )


def _solved(
    asked: _Asked, backend: CondaBackend, scratch: Path, say: Say, held_open: tuple[int, ...]
) -> tuple[tuple[CondaPackage, ...], tuple[str, ...]]:
    """The packages, and warnings. An environment has pip, as conda itself gives it to every Python, where that can be had."""
    question = asked.question
    if _PIP in asked.ask.named:
        return backend.solve(question, scratch, say, held_open), ()
    try:
        with_pip = replace(question, lines=(*question.lines, _PIP))
        return backend.solve(with_pip, scratch, say, held_open), ()
    except CondaFailed as failure:
        if failure.trouble is not Trouble.CONFLICT:
            raise
        remove_tree(scratch)
        packages = backend.solve(question, scratch, say, held_open)
        return packages, ("the channels have no `pip` for this environment: its commands cannot call it",)


def _check_python(asked: _Asked, packages: tuple[CondaPackage, ...]) -> None:
    """Raise EnvironmentCannotBeBuilt where there is none, or one that is too old for what runs beside a user's code."""
    label, oldest = asked.request.label, ".".join(map(str, OLDEST))
    python = next((one for one in packages if one.name == "python"), None)
    if python is None:
        raise EnvironmentCannotBeBuilt(
            f"environment `{label}` has no Python: none of its packages asks for one",
            hint=f"add `python` to its dependencies, {oldest} or newer",
        )
    if version_numbers(python.version)[:2] < OLDEST:
        lines = [f"{line.pointer}  {line.text}" for line in asked.ask.lines if line.name == "python"]
        raise EnvironmentCannotBeBuilt(
            f"environment `{label}` has Python {python.version}, and jobs need {oldest} or newer",
            details=lines,
            hint=f"ask for `python>={oldest}`, or run the job in its image: PENSTOCK_CONTAINERS=always",
        )


@contextmanager
def thrown_away(folder: Path) -> Iterator[None]:
    """Nothing lies in the folder before, nor after."""
    with disk_errors_named(folder.parent):
        remove_tree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield
        finally:
            remove_tree(folder)


def _python_of(packages: Sequence[CondaPackage], prefix: Path) -> Interpreter:
    """The environment's own Python; 0.0.0 where nothing is solved yet."""
    version = next((one.version for one in packages if one.name == "python"), "")
    return Interpreter(version_numbers(version), prefix / "bin" / "python", "CPython", subdir_of_machine())


def subdir_of_machine() -> str:
    """What conda calls this kind of machine: `linux-64`, `osx-arm64`."""
    system = "osx" if sys.platform == "darwin" else "linux"
    kind = platform.machine()
    names = {"x86_64": "64", "amd64": "64", "arm64": "arm64" if system == "osx" else "aarch64"}
    return f"{system}-{names.get(kind.lower(), kind)}"


def _record_of(lock: CondaLock, label: str) -> str:
    return json.dumps({"schema": _SCHEMA, "label": label, "conda": lock.as_record()}, indent=1)
