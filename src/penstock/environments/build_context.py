"""A build context whose Dockerfile only installs Python packages, as the conda file that says the same.

Any other instruction is a Problem with the Dockerfile's line. Files come from a snapshot: the digest of the folder names
the environment, and nothing is read from the machine.
"""

import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.environments.conda_file import CondaFile, read_conda_file
from penstock.environments.conda_packages.asking import CondaAsk, read_for_conda
from penstock.environments.dockerfile import Instruction, instructions_of, substituted
from penstock.environments.run_commands import Refused, commands_of, read_command
from penstock.errors import InvalidDocument, Problem
from penstock.resources.reading import load_yaml

_WAY_OUT = (
    "take the line out, or start podman or docker where the server runs: the step then runs in the image"
)
# They describe a container that is started by itself; a job brings its own command.
_OF_NO_EFFECT = ("CMD", "ENTRYPOINT", "EXPOSE", "USER", "HEALTHCHECK", "VOLUME", "STOPSIGNAL")
_SILENT = ("LABEL", "MAINTAINER", "SHELL")
# Variables that say where things lie in the image.
_LAYOUT = re.compile(
    r"(LD_LIBRARY_)?PATH|PYTHONPATH|(AZUREML_)?CONDA_\w+|DEBIAN_FRONTEND|VIRTUAL_ENV|PIP_\w+|HOME|USER|SHELL|UV_\w+"
)
_COPY_FLAGS = ("--chown", "--chmod", "--link", "--parents", "--exclude")


class ContextFiles(Protocol):
    """The files of a build context."""

    name: str
    """What people call the folder."""

    def paths(self) -> Sequence[str]:
        """Every file, relative, with `/`."""

    def text(self, path: str) -> str:
        """What a file says."""


@dataclass(frozen=True)
class ContextRecipe:
    """What a build context asks for. `variables` are those that the image would give to a command."""

    image: str | None
    conda: Mapping[str, Any] | None
    variables: Mapping[str, str]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def read_build_context(
    files: ContextFiles, dockerfile: str, pointer: str, *, for_conda: bool = False
) -> ContextRecipe:
    """Understand a build context. `pointer` is where it stands in the document; nothing is raised.

    `for_conda` says that real conda packages are asked for: whether they exist, only their channels know.
    """
    dockerfile = posixpath.normpath(dockerfile)
    if dockerfile not in files.paths():
        held = ", ".join(f"`{path}`" for path in sorted(files.paths())[:8]) or "nothing"
        message = f"build context `{files.name}` has no `{dockerfile}`"
        hint = f"it holds {held}; name the file in `dockerfile_path`"
        return ContextRecipe(None, None, {}, (), (Problem(pointer, message, hint=hint, code="missing"),))
    reader = _Reader(files, dockerfile, pointer, read_for_conda if for_conda else read_conda_file)
    for instruction in instructions_of(files.text(dockerfile)):
        reader.take(instruction)
    return reader.result()


@dataclass
class _Copied:
    """What one COPY brought: image path → path in the context."""

    line: int
    files: dict[str, str] = field(default_factory=dict)


class _Reader:
    """Walks through the Dockerfile once, as a build would, and collects."""

    def __init__(
        self,
        files: ContextFiles,
        dockerfile: str,
        pointer: str,
        read: Callable[[object, str], CondaFile | CondaAsk],
    ) -> None:
        self._files = files
        self._read = read
        self._paths = list(files.paths())
        self._dockerfile = dockerfile
        self._pointer = pointer
        self._image: str | None = None
        self._variables: dict[str, str] = {}
        self._environment: dict[str, str] = {}
        self._folder = "/"
        self._copies: list[_Copied] = []
        self._used: set[str] = {dockerfile}
        self._conda: list[Any] = []
        self._channels: list[str] = []
        self._pip: list[str] = []
        self._problems: list[Problem] = []
        self._without_effect: dict[str, None] = {}

    def result(self) -> ContextRecipe:
        self._unused_copies()
        if self._image is None and not self._problems:
            self._problem(1, "a Dockerfile begins with FROM")
        dependencies = [*self._conda, *([{"pip": self._pip}] if self._pip else [])]
        conda = {"channels": list(dict.fromkeys(self._channels)), "dependencies": dependencies}
        notes = [
            f"no image is built from `{self._files.name}/{self._dockerfile}`: its Python packages are installed in a venv"
        ]
        if self._without_effect:
            notes.append(f"{', '.join(self._without_effect)} of the Dockerfile have no effect on a job")
        kept = {name: value for name, value in self._environment.items() if not _LAYOUT.fullmatch(name)}
        return ContextRecipe(
            self._image, conda if dependencies else None, kept, tuple(notes), tuple(self._problems)
        )

    def take(self, instruction: Instruction) -> None:
        name = instruction.name
        if name in ("RUN", "COPY", "ADD") and instruction.has_heredoc:
            self._problem(instruction.line, f"{name} with a document in it (<<) cannot be followed")
        elif name == "FROM":
            self._from(instruction)
        elif name in ("ARG", "ENV"):
            self._set(instruction)
        elif name == "WORKDIR":
            self._folder = posixpath.join(self._folder, self._filled_in(instruction.text).strip("\"'"))
        elif name in ("COPY", "ADD"):
            self._copy(instruction)
        elif name == "RUN":
            self._run(instruction)
        elif name in _OF_NO_EFFECT:
            self._without_effect[name] = None
        elif name not in _SILENT:
            self._problem(instruction.line, f"`{name}` is no instruction that can be followed")

    def _problem(self, line: int, message: str, hint: str = _WAY_OUT) -> None:
        file = f"{self._files.name}/{self._dockerfile}"
        self._problems.append(
            Problem(self._pointer, message, hint=hint, code="unsupported", file=file, line=line)
        )

    def _filled_in(self, text: str) -> str:
        return substituted(text, self._variables)

    def _from(self, instruction: Instruction) -> None:
        words = [word for word in self._filled_in(instruction.text).split() if not word.startswith("--")]
        if self._image is not None:
            self._problem(instruction.line, "more than one stage (FROM) cannot be followed")
        self._image = words[0] if words else None

    def _set(self, instruction: Instruction) -> None:
        text = instruction.text
        if instruction.name == "ENV" and "=" not in text.split(None, 1)[0]:
            name, _, value = text.partition(" ")
            pairs = [(name, value.strip())]
        else:
            try:
                words = shlex.split(text)
            except ValueError:
                self._problem(instruction.line, f"{instruction.name} {text} cannot be read")
                return
            pairs = [(word.partition("=")[0], word.partition("=")[2]) for word in words if "=" in word]
        for name, value in pairs:
            self._variables[name] = self._filled_in(value)
            if instruction.name == "ENV":
                self._environment[name] = self._variables[name]

    def _copy(self, instruction: Instruction) -> None:
        text = self._filled_in(instruction.text)
        words = json.loads(text) if _is_list(text) else text.split()
        flags = [word for word in words if word.startswith("--")]
        if any(flag.split("=")[0] not in _COPY_FLAGS for flag in flags):
            self._problem(
                instruction.line, f"{instruction.name} {' '.join(flags)} takes files from elsewhere"
            )
            return
        *sources, target = [word for word in words if not word.startswith("--")] or [""]
        copied = _Copied(instruction.line)
        for source in sources:
            if "://" in source or source.endswith((".tar", ".tar.gz", ".tgz")):
                self._problem(instruction.line, f"{instruction.name} of `{source}` cannot be followed")
                continue
            found = self._found(source)
            if not found:
                message = f"{instruction.name} names `{source}`, which the build context does not hold"
                self._problem(instruction.line, message, "correct the path: it starts from the build context")
            into = posixpath.join(self._folder, target)
            is_folder = target.endswith(("/", ".")) or len(sources) > 1
            for path, below in found.items():
                if below or is_folder:
                    copied.files[
                        posixpath.normpath(posixpath.join(into, below or path.rsplit("/", 1)[-1]))
                    ] = path
                else:  # the target may be a folder that the image has, or the file's new name
                    copied.files[posixpath.normpath(into)] = path
                    copied.files[posixpath.normpath(posixpath.join(into, path.rsplit("/", 1)[-1]))] = path
        self._copies.append(copied)

    def _found(self, source: str) -> dict[str, str]:
        """The files that a source names, each with its path below it where the source is a folder."""
        source = posixpath.normpath(source.lstrip("/"))
        if source == ".":
            return {path: path for path in self._paths}
        if source in self._paths:
            return {source: ""}
        inside = {
            path: path.removeprefix(f"{source}/") for path in self._paths if path.startswith(f"{source}/")
        }
        return inside or {path: "" for path in self._paths if fnmatch.fnmatchcase(path, source)}

    def _unused_copies(self) -> None:
        for copied in self._copies:
            unused = sorted({path for path in copied.files.values() if path not in self._used})
            if unused:
                shown = ", ".join(f"`{path}`" for path in unused[:3]) + (" …" if len(unused) > 3 else "")
                hint = "put what the job reads into its `code` or an input, or copy only requirements and conda files"
                self._problem(copied.line, f"copies {shown} into the image, and there is none", hint)

    def _run(self, instruction: Instruction) -> None:
        text, lead = instruction.text, 0
        mounts = _Copied(instruction.line)
        while flag := re.match(r"--(\w+)(?:=(\S+))?\s+", text):
            if not self._mount(flag[1], flag[2] or "", mounts):
                self._problem(instruction.line, f"RUN --{flag[1]}={flag[2] or ''} cannot be followed")
                return
            lead, text = lead + flag.end(), text[flag.end() :]
        if _is_list(text):
            self._command(shlex.join(json.loads(text)), instruction.line, mounts)
            return
        for offset, command in commands_of(text):
            self._command(command, instruction.line_at(lead + offset), mounts)

    def _mount(self, flag: str, value: str, mounts: _Copied) -> bool:
        options = dict(part.partition("=")[::2] for part in value.split(","))
        if flag == "network" or (flag == "mount" and options.get("type") in ("cache", "tmpfs")):
            return True
        if flag != "mount" or options.get("type", "bind") != "bind" or "from" in options:
            return False
        source, target = options.get("source", options.get("src", ".")), options.get("target", "")
        target = posixpath.join(
            self._folder, target or options.get("dst", "") or options.get("destination", "")
        )
        for path, below in self._found(source).items():
            mounts.files[posixpath.normpath(posixpath.join(target, below))] = path
        return True

    def _command(self, command: str, line: int, mounts: _Copied) -> None:
        try:
            ask = read_command(self._filled_in(command))
        except Refused as refused:
            shown = command if len(command) <= 80 else f"{command[:79]}…"
            self._problem(line, f"`{shown}` {refused}")
            return
        self._channels += ask.channels
        self._packages(ask.conda, line)
        for path in ask.conda_files:
            self._in_file(path, line, mounts, self._conda_file)
        for path in ask.requirements:
            self._in_file(path, line, mounts, self._requirements)
        self._packages([{"pip": list(ask.pip)}] if ask.pip else [], line)

    def _packages(self, packages: Sequence[Any], line: int, named: str = "") -> None:
        """Keep what reads as entries of a conda file, and say what does not."""
        for problem in self._read({"dependencies": list(packages)}, "").problems:
            self._problem(line, f"{named}{problem.message}", problem.hint or _WAY_OUT)
        for item in packages:
            if isinstance(item, Mapping):
                self._pip += item.get("pip") or []
            else:
                self._conda.append(item)

    def _in_file(self, path: str, line: int, mounts: _Copied, read: Callable[[str, int], None]) -> None:
        """Read a file of the image, which is a file of the context that was copied before."""
        inside = posixpath.normpath(posixpath.join(self._folder, path))
        for copied in (mounts, *reversed(self._copies)):
            if inside in copied.files:
                self._used.add(copied.files[inside])
                read(copied.files[inside], line)
                return
        self._problem(line, f"`{path}` was not copied into the image before this line", "add a COPY above it")

    def _requirements(self, path: str, line: int) -> None:
        for text in re.sub(r"\\\r?\n", " ", self._files.text(path)).splitlines():
            stripped = re.sub(r"(^|\s)#.*$", "", text).strip()
            another = re.fullmatch(r"(?:-r|--requirement)[ =]?\s*(\S+)", stripped)
            if another is None:
                self._packages([{"pip": [stripped]}] if stripped else [], line, f"`{path}`: ")
                continue
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), another[1]))
            if beside in self._paths and beside not in self._used:
                self._used.add(beside)
                self._requirements(beside, line)
            elif beside not in self._paths:
                self._problem(line, f"`{path}` reads `{another[1]}`, which the build context does not hold")

    def _conda_file(self, path: str, line: int) -> None:
        try:
            content = load_yaml(self._files.text(path), name=f"{self._files.name}/{path}")
        except InvalidDocument as error:
            self._problems += error.problems
            return
        if not isinstance(content, Mapping) or not isinstance(content.get("dependencies"), list):
            self._problem(line, f"`{path}` is no conda file: it has no list `dependencies`", "mend the file")
            return
        self._channels += content.get("channels") or []
        self._packages(content["dependencies"], line, f"`{path}`: ")


def _is_list(text: str) -> bool:
    """`RUN ["pip", "install"]`: the form that is no shell's."""
    if not text.startswith("["):
        return False
    try:
        words = json.loads(text)
    except ValueError:
        return False
    return isinstance(words, list) and all(isinstance(word, str) for word in words)
