"""The commands of a Dockerfile's RUN, as far as they are about Python packages: what each asks for, or why it cannot be."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a command of the image does that a venv needs nothing of.
_HARMLESS = frozenset(
    {"rm", "mkdir", "echo", "true", ":", "ls", "cat", "set", "pwd", "which", "whoami", "date"}
)
_LOOKS_ONLY = frozenset(
    {"cache", "list", "freeze", "check", "show", "config", "debug", "--version", "inspect"}
)
_CONDAS = frozenset({"conda", "mamba", "micromamba"})
_CONDA_LOOKS_ONLY = frozenset(
    {"clean", "init", "config", "list", "info", "activate", "--version", "tos", "shell"}
)
# Options of pip that change nothing here; those of the second table come with a value.
_NO_EFFECT = _words(
    "--no-cache-dir --no-cache -U --upgrade -q -qq --quiet -v --verbose --disable-pip-version-check --no-input --user"
    " --ignore-installed -I --force-reinstall --no-warn-script-location --prefer-binary --system --compile -y"
    " --break-system-packages --no-python-version-warning --no-build-isolation --use-pep517 --no-color"
)
_NO_EFFECT_WITH_VALUE = _words(
    "--progress-bar --timeout --default-timeout --retries --cache-dir --root-user-action --log --python"
    " --upgrade-strategy --use-feature --use-deprecated"
)
_INTO_THE_FILE = {"-i": "--index-url", "-f": "--find-links"}
_INTO_THE_FILE_WITH_VALUE = _words(
    "--index-url --extra-index-url --find-links --trusted-host --no-binary --only-binary"
)
_CONDA_WITH_VALUE = _words("-p --prefix -n --name --solver -c --channel --repodata-fn")
_SHELL_WORDS = _words("if for while until case { ( [ [[ ! function then do else fi done esac")
_REASONS = {
    "apt-get": "installs programs of an operating system",
    "apt": "installs programs of an operating system",
    "yum": "installs programs of an operating system",
    "dnf": "installs programs of an operating system",
    "microdnf": "installs programs of an operating system",
    "apk": "installs programs of an operating system",
    "dpkg": "installs programs of an operating system",
    "curl": "downloads something into the image",
    "wget": "downloads something into the image",
    "git": "fetches code into the image",
    "make": "compiles something into the image",
    "cmake": "compiles something into the image",
    "Rscript": "installs packages of R",
    "npm": "installs packages of JavaScript",
    "useradd": "changes the image's users",
    "chown": "changes files of the image",
    "chmod": "changes files of the image",
}


class Refused(ValueError):
    """What a command does has no place in a venv; the message says what it does."""


@dataclass(frozen=True)
class Ask:
    """What one command asks for: lines as under `pip:`, requirements files, conda packages, conda files."""

    pip: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    conda_files: tuple[str, ...] = ()


def commands_of(text: str) -> Iterator[tuple[int, str]]:
    """The commands of a RUN with their offsets, split at `&&`, `;` and line ends outside of quotes."""
    start, at, quote = 0, 0, ""
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\" and quote == '"':
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "\\":
            at += 1
        elif char in ";\n" or text.startswith("&&", at):
            if text[start:at].strip():
                yield start + len(text[start:at]) - len(text[start:at].lstrip()), text[start:at].strip()
            at += 1 if char in ";\n" else 2
            start = at
            continue
        at += 1
    if text[start:].strip():
        yield start + len(text[start:]) - len(text[start:].lstrip()), text[start:].strip()


def read_command(text: str) -> Ask:
    """What a command asks for; nothing for one that only tidies up or prints. Raises Refused."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Refused(f"cannot be read: {error}") from error
    words = _without_redirections(_without_lead(words))
    if not words:
        return Ask()
    if text.startswith("(") or words[0] in _SHELL_WORDS or re.search(r"(?<!\\)(\||`|\$\(|\bthen\b)", text):
        raise Refused("is a script of the shell, and only commands that install packages can be followed")
    name = words[0].rsplit("/", 1)[-1]
    if name == "uv" and words[1:2] == ["pip"]:
        return _pip(words[2:])
    if re.fullmatch(r"pip[\d.]*", name):
        return _pip(words[1:])
    if re.fullmatch(r"python[\d.]*", name):
        return _python(words[1:])
    if name in _CONDAS:
        return _conda(words[1:])
    if name in _HARMLESS:
        return Ask()
    raise Refused(_REASONS.get(name, f"runs `{name}`"))


def _without_lead(words: list[str]) -> list[str]:
    """Without variables, `sudo` and `conda run -n …` before the command itself."""
    while words:
        if re.match(r"[A-Za-z_]\w*=", words[0]) or words[0] in ("sudo", "exec", "time", "export"):
            words = words[1:]
        elif words[0].rsplit("/", 1)[-1] in _CONDAS and words[1:2] == ["run"]:
            words = words[2:]
            while words and words[0].startswith("-"):
                words = words[2:] if words[0] in ("-n", "-p", "--name", "--prefix") else words[1:]
        else:
            break
    return words


def _without_redirections(words: list[str]) -> list[str]:
    """Where a command's output goes says nothing about packages."""
    kept, skip = list[str](), False
    for word in words:
        match = re.match(r"(?:\d|&)?>>?(.*)", word)
        if match is None and not skip:
            kept.append(word)
        skip = match is not None and not match[1]
    return kept


def _python(words: Sequence[str]) -> Ask:
    if words[:2] == ["-m", "pip"]:
        return _pip(words[2:])
    if words[:1] == ["--version"] or words[:1] == ["-V"]:
        return Ask()
    raise Refused("runs a Python program while the image is built")


def _pip(words: Sequence[str]) -> Ask:
    while words and words[0] in _NO_EFFECT:
        words = words[1:]
    if not words or words[0] in _LOOKS_ONLY:
        return Ask()
    if words[0] != "install":
        raise Refused(f"runs `pip {words[0]}`")
    lines, files = list[str](), list[str]()
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        option, given, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = _INTO_THE_FILE.get(option, option)
        if option in _NO_EFFECT:
            continue
        if option in _NO_EFFECT_WITH_VALUE:
            if not given:
                rest[:1] = []
        elif option in ("-r", "--requirement"):
            files.append(value if given else _next(rest, word))
        elif option in _INTO_THE_FILE_WITH_VALUE:
            lines.append(f"{option} {value if given else _next(rest, word)}")
        elif option == "--pre":
            lines.append(option)
        elif option.startswith("-r") and len(option) > 2 and not option.startswith("--"):
            files.append(option[2:])
        elif option in ("-e", "--editable"):
            target = value if given else _next(rest, word)
            lines.append(_remote(target))
        elif option.startswith("-"):
            raise Refused(f"installs with `{option}`, which has no counterpart here")
        else:
            lines.append(_remote(word))
    options = [line for line in lines if line.startswith("--")]
    return Ask(
        pip=(*options, *[line for line in lines if not line.startswith("--")]), requirements=tuple(files)
    )


def _remote(word: str) -> str:
    """A requirement that is no path of the image."""
    if word.startswith((".", "/", "~")) or ("/" in word and "://" not in word and "@" not in word):
        raise Refused(f"installs `{word}`, a folder or file of the image")
    return word


def _next(rest: list[str], word: str) -> str:
    if not rest:
        raise Refused(f"ends after `{word}`")
    return rest.pop(0)


def _conda(words: Sequence[str]) -> Ask:
    if not words or words[0] in _CONDA_LOOKS_ONLY:
        return Ask()
    if words[0] == "env" and words[1:2] and words[1] in ("create", "update"):
        files, _, _ = _conda_words(words[2:], takes_file=True)
        if not files:
            raise Refused("makes an environment of conda without naming its file")
        return Ask(conda_files=tuple(files))
    if words[0] in ("create", "install"):
        files, channels, packages = _conda_words(words[1:], takes_file=False)
        return Ask(conda=tuple(packages), channels=tuple(channels), conda_files=tuple(files))
    if words[0] == "update" and not _changes_more_than_conda(words[1:]):
        return Ask()
    raise Refused(f"runs `conda {' '.join(words[:2])}`")


def _changes_more_than_conda(words: Sequence[str]) -> bool:
    _, _, packages = _conda_words(words, takes_file=False)
    return any(package != "conda" for package in packages)


def _conda_words(words: Sequence[str], *, takes_file: bool) -> tuple[list[str], list[str], list[str]]:
    """Files, channels and packages; the other options say where conda puts them."""
    files, channels, packages = list[str](), list[str](), list[str]()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        option, given, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if option in ("-f", "--file") and (takes_file or option == "--file"):
            if not takes_file:
                raise Refused("reads a list of conda packages from a file")
            files.append(value if given else _next(rest, word))
        elif option in _CONDA_WITH_VALUE:
            value = value if given else _next(rest, word)
            if option in ("-c", "--channel"):
                channels.append(value)
        elif not word.startswith("-"):
            packages.append(word)
    return files, channels, packages
