"""The lines under `pip:` in a conda file: requirements, and the options that pip takes in a requirements file.

Every line is installed, handed to the installer, warned about, or refused with the way out. None is dropped silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from penstock.environments.credentials import without_credentials

_REVISION_SYSTEMS = ("hg+", "svn+", "bzr+")
_LONG_NAMES: Mapping[str, str] = {
    "-i": "--index-url", "-f": "--find-links", "-e": "--editable", "-r": "--requirement", "-c": "--constraint",
    "-U": "--upgrade",
}  # fmt: skip
# Options that uv reads in a requirements file as pip does.
_HANDED_ON = (
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-index",
    "--no-binary",
    "--only-binary",
)
_ADDRESSES = ("--index-url", "--extra-index-url", "--find-links")
_NO_EFFECT: Mapping[str, str] = {
    "--prefer-binary": "wheels are always preferred where they satisfy the pins",
    "--upgrade": "every environment is built anew",
    "--no-cache-dir": "the cache belongs to Penstock and is emptied by `penstock gc`",
    "--progress-bar": "progress is shown by Penstock",
    "--timeout": "set UV_HTTP_TIMEOUT where the server runs",
    "--retries": "failed downloads are tried again",
    "--disable-pip-version-check": "pip does not install this environment",
    "--no-warn-script-location": "pip does not install this environment",
    "--quiet": "the build is quiet anyway",
    "--verbose": "the build's output is in `system_logs/environment.log`",
}


class BadLine(ValueError):
    """The line cannot be installed. The message says why, `hint` what to write instead."""

    def __init__(self, message: str, *, hint: str | None = None, unsupported: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.unsupported = unsupported


@dataclass(frozen=True)
class PipItem:
    """One line, understood: a requirement, or arguments for the installer, or nothing but a warning.

    `requirement` may hold credentials (a git address can), so it is not shown in `repr`.
    """

    requirement: str | None = field(default=None, repr=False)
    in_file: str | None = field(default=None, repr=False)
    """An option line as it stands in a requirements file."""
    arguments: tuple[str, ...] = ()
    """Options that only the installer's command line takes."""
    warning: str | None = None


def read_pip_line(text: str) -> PipItem:
    """Understand one line of the pip section. Raises BadLine."""
    line = re.sub(r"(^|\s)#.*$", "", text).strip()
    if not line:
        return PipItem()
    if line.startswith("-"):
        return _option(line)
    return PipItem(requirement=_requirement(line))


def _option(line: str) -> PipItem:
    name, value = _name_and_value(line)
    if name in ("--requirement", "--constraint"):
        kind = "requirements" if name == "--requirement" else "constraints"
        raise BadLine(
            f"`{line}` reads another file, and only the conda file itself becomes part of an environment",
            hint=f"write the lines of that {kind} file here, under `pip:`",
            unsupported=True,
        )
    if name == "--editable":
        requirement = _requirement(value)
        return PipItem(
            requirement=requirement, warning=f"`{line}` is installed as it is, not as an editable copy"
        )
    if name == "--pre":
        return PipItem(arguments=("--prerelease", "allow"))
    if name == "--trusted-host" and value:
        return PipItem(arguments=("--allow-insecure-host", value))
    if name in _HANDED_ON:
        if name in _ADDRESSES and not _is_address(value):
            raise BadLine(
                f"`{name}` needs a web address, got `{value}`",
                hint="a folder of your machine is not uploaded",
            )
        if not value and name != "--no-index":
            raise BadLine(f"`{name}` needs a value")
        return PipItem(in_file=f"{name} {value}".strip())
    if name in _NO_EFFECT:
        return PipItem(warning=f"`{line}` has no effect here: {_NO_EFFECT[name]}")
    raise BadLine(f"the option `{name}` is not supported in an environment", unsupported=True)


def _name_and_value(line: str) -> tuple[str, str]:
    """`-ihttps://x`, `--index-url=https://x` and `--index-url https://x` are one."""
    match = re.match(r"(--[A-Za-z-]+|-[A-Za-z])\s*=?\s*(.*)$", line, re.DOTALL)
    if match is None:
        raise BadLine(f"`{line}` is no requirement and no option that pip knows")
    name = _LONG_NAMES.get(match[1], match[1])
    return name, match[2].strip()


def _requirement(line: str) -> str:
    if line.startswith(_REVISION_SYSTEMS):
        raise BadLine(
            f"`{without_credentials(line)}`: of the revision systems only git is supported", unsupported=True
        )
    if re.match(r"git\+|https?://", line):
        return _named_by_egg(line)
    if _is_local(line):
        raise BadLine(
            f"`{line}` is a path on your machine, and only the conda file itself becomes part of an environment",
            hint="put the package's source into the folder that `code:` names, or give the address of a wheel",
            unsupported=True,
        )
    if " --" in line:
        option = line[line.index(" --") + 1 :].split("=")[0].split()[0]
        raise BadLine(f"the option `{option}` is not supported after a requirement", unsupported=True)
    try:
        parsed = Requirement(line)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise BadLine(
            f"`{without_credentials(line)}` is no requirement that pip understands: {reason[:1].lower()}{reason[1:]}",
            hint="write it as `name==1.2.3`, `name>=1,<2` or `name`",
        ) from error
    if parsed.url and _is_local(parsed.url):
        raise BadLine(
            f"`{line}` points to a path on your machine", hint="give the address of a wheel", unsupported=True
        )
    return line


def _is_local(text: str) -> bool:
    return (
        text.startswith((".", "/", "~", "file:"))
        or re.match(r"[A-Za-z]:\\", text) is not None
        or (text.endswith((".whl", ".tar.gz", ".zip")) and "://" not in text)
    )


def _is_address(text: str) -> bool:
    # `${NAME}` is filled in from the server's environment by the installer, as pip does.
    return text.startswith("${") or (
        urlsplit(text).scheme in ("http", "https") and bool(urlsplit(text).netloc)
    )


def _named_by_egg(line: str) -> str:
    """`git+https://…#egg=name` is an old way of saying `name @ git+https://…`."""
    match = re.search(r"#egg=([A-Za-z0-9_.-]+(?:\[[^\]]*\])?)(?:&(.*))?$", line)
    if match is None:
        return line
    rest = f"#{match[2]}" if match[2] else ""
    return f"{match[1]} @ {line[: match.start()]}{rest}"
