"""pip's section of a conda file: installed by uv over the conda packages, once to see what it comes to, then as locked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from penstock.environments.conda_packages.asking import CondaAsk
from penstock.environments.files import disk_errors_named
from penstock.environments.locking import Lock
from penstock.environments.uv import Say, Uv

_NOTHING = Lock(pins="", option_lines=(), arguments=(), warnings=())


@dataclass(frozen=True)
class _Distribution:
    """What is installed under one name: a version, and the address (PEP 610) where it comes from one."""

    name: str
    version: str
    address: str | None


def resolve_over(
    prefix: Path, ask: CondaAsk, uv: Uv, say: Say, keep_open: Sequence[int] = ()
) -> tuple[Lock, tuple[str, ...]]:
    """Install pip's section into `prefix`, which is thrown away afterwards, and read what changed. Raises UvFailed.

    As with pip itself, what conda installed stays where it satisfies the section. The second value are warnings.
    """
    if not ask.pip:
        return _NOTHING, ()
    before = _installed(prefix)
    requirements = "".join(f"{line}\n" for line in (*ask.option_lines, *(one.requirement for one in ask.pip)))
    _install(prefix, requirements, ask.option_lines, ask.arguments, uv, say, keep_open)
    after = _installed(prefix)
    changed = {name: one for name, one in after.items() if before.get(name) != one}
    written = [one.requirement for one in ask.pip]
    pins = "".join(f"{_pin(one, written)}\n" for _, one in sorted(changed.items()))
    replaced = tuple(
        f"pip's section replaces conda's `{name} {before[name].version}` by {one.version}"
        for name, one in sorted(changed.items())
        if name in before
    )
    return Lock(pins, ask.option_lines if pins else (), ask.arguments if pins else (), ()), replaced


def install_locked(prefix: Path, lock: Lock, uv: Uv, say: Say, keep_open: Sequence[int]) -> None:
    """Install exactly the lock's packages into the conda prefix. Raises UvFailed."""
    if lock.pins:
        more = (*lock.arguments, "--no-deps")
        _install(prefix, lock.installable, lock.option_lines, more, uv, say, keep_open)


def _install(
    prefix: Path,
    requirements: str,
    option_lines: Sequence[str],
    arguments: Sequence[str],
    uv: Uv,
    say: Say,
    keep_open: Sequence[int],
) -> None:
    with disk_errors_named(uv.folder):
        file = prefix / ".pip-section.txt"
        file.write_text(requirements, "utf-8")
    strategy = ["--index-strategy", "unsafe-best-match"] if option_lines else []
    # A conda Python may say that conda alone manages it. This one is ours, and nobody else's yet.
    where = ["--python", str(prefix / "bin" / "python"), "--break-system-packages"]
    uv.run(["pip", "install", "-r", str(file), *where, *arguments, *strategy], say=say, keep_open=keep_open)
    file.unlink()


def _installed(prefix: Path) -> Mapping[str, _Distribution]:
    """What Python's tools see in the prefix, by canonical name."""
    folders = [str(path) for path in sorted((prefix / "lib").glob("python3*/site-packages"))]
    found: dict[str, _Distribution] = {}
    for one in distributions(path=folders):
        name = one.metadata["Name"]
        if name:
            found[canonicalize_name(name)] = _Distribution(
                name, one.version, one.read_text("direct_url.json")
            )
    return found


def _pin(one: _Distribution, written: Sequence[str]) -> str:
    """The line that installs it again: a version, or the address with the commit that was taken."""
    if one.address is None:
        return f"{canonicalize_name(one.name)}=={one.version}"
    said = json.loads(one.address)
    url = _with_credentials(str(said["url"]), written)
    revision = said.get("vcs_info")
    if revision is not None:
        url = f"{revision['vcs']}+{url}@{revision['commit_id']}"
    subdirectory = said.get("subdirectory")
    return f"{one.name} @ {url}" + (f"#subdirectory={subdirectory}" if subdirectory else "")


def _with_credentials(url: str, written: Sequence[str]) -> str:
    """uv keeps no credentials in its record of an address: the line that asked for it has them."""
    parts = urlsplit(url)
    for line in written:
        start = line.find("://")
        if start < 0:
            continue
        asked = urlsplit("https" + line[start:])
        same_host = asked.netloc.rpartition("@")[2] == parts.netloc.rpartition("@")[2]
        if same_host and asked.path.startswith(parts.path.removesuffix(".git")):
            return urlunsplit(parts._replace(netloc=asked.netloc))
    return url
