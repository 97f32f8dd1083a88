"""From a channel's name to its address, as `.condarc` and conda's variables say it: mirrors, aliases, priorities."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import yaml

from penstock.environments.credentials import without_credentials
from penstock.errors import PenstockError

Priority = Literal["strict", "flexible", "disabled"]

_ALIAS = "https://conda.anaconda.org"
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win|freebsd|zos|emscripten|wasi)-[a-z0-9_]+)/?$")
_TOKEN = re.compile(r"/t/[A-Za-z0-9_-]+(?=/)")
_BROKEN_BY = (OSError, UnicodeDecodeError, yaml.YAMLError)
# Later ones count before earlier ones. A folder stands for the `.yml` and `.yaml` files in it.
_FILES = (
    "/etc/conda/.condarc", "/etc/conda/condarc", "/etc/conda/condarc.d",
    "/var/lib/conda/.condarc", "/var/lib/conda/condarc", "/var/lib/conda/condarc.d",
    "$CONDA_ROOT/.condarc", "$CONDA_ROOT/condarc", "$CONDA_ROOT/condarc.d",
    "$MAMBA_ROOT_PREFIX/.condarc", "$MAMBA_ROOT_PREFIX/.mambarc",
    "$XDG_CONFIG_HOME/conda/.condarc", "$XDG_CONFIG_HOME/conda/condarc", "$XDG_CONFIG_HOME/conda/condarc.d",
    "$HOME/.config/conda/.condarc", "$HOME/.config/conda/condarc", "$HOME/.config/conda/condarc.d",
    "$HOME/.conda/.condarc", "$HOME/.conda/condarc", "$HOME/.conda/condarc.d",
    "$HOME/.condarc", "$HOME/.mambarc",
    "$CONDA_PREFIX/.condarc", "$CONDA_PREFIX/condarc", "$CONDA_PREFIX/condarc.d",
    "$CONDARC", "$MAMBARC",
)  # fmt: skip


@dataclass(frozen=True)
class Channel:
    """One channel by its address, which may hold credentials; `plain` is the same without them."""

    url: str = field(repr=False)

    @property
    def plain(self) -> str:
        """The address as it may be shown and kept."""
        return plain(self.url)


@dataclass(frozen=True)
class CondaConfiguration:
    """What the user told conda, as far as it says where packages come from and how they are fetched.

    `ssl_verify` is the path of a file with certificates, or whether they are checked at all. `pkgs_dirs` are the user's
    own package caches.
    """

    channels: tuple[str, ...] = ()
    default_channels: tuple[str, ...] = _DEFAULTS
    channel_alias: str = field(default=_ALIAS, repr=False)
    custom_channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    custom_multichannels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    channel_priority: Priority = "flexible"
    ssl_verify: str | bool = True
    proxy_servers: Mapping[str, str] = field(default_factory=dict, repr=False)
    pkgs_dirs: tuple[str, ...] = ()
    offline: bool = False

    def in_order(self, names: Sequence[str]) -> tuple[Channel, ...]:
        """The channels of a conda file that names these, the first counts most.

        The user's own come after the file's, as with `conda env create`, unless the file says `nodefaults`. Where
        nobody names any, they are conda's defaults.
        """
        asked = [name for name in names if name != "nodefaults"]
        if "nodefaults" not in names:
            asked += self.channels
        addresses = (address for name in asked or ["defaults"] for address in self.addresses(name))
        return tuple(Channel(address) for address in dict.fromkeys(addresses))

    def addresses(self, name: str) -> Iterator[str]:
        """The addresses that a name or an address stands for: usually one."""
        name = name.strip()
        if name == "defaults" and name not in self.custom_multichannels:
            for each in self.default_channels:
                yield self._address(each)
        elif name in self.custom_multichannels:
            for each in self.custom_multichannels[name]:
                yield self._address(each)
        else:
            yield self._address(name)

    def _address(self, name: str) -> str:
        if name.startswith(("/", "~")):
            return "file://" + quote(str(Path(name).expanduser()))
        name = _SUBDIR.sub("", name.rstrip("/"))
        if "://" in name:
            return name
        for prefix in sorted(self.custom_channels, key=len, reverse=True):
            if name == prefix or name.startswith(f"{prefix}/"):
                return f"{self.custom_channels[prefix].rstrip('/')}/{name}"
        return f"{self.channel_alias.rstrip('/')}/{name}"


def read_configuration(environ: Mapping[str, str]) -> CondaConfiguration:
    """The user's `.condarc` files, the variables `CONDA_…` over them. Raises PenstockError for a file that is broken."""
    said: dict[str, Any] = {}  # Any: somebody else's YAML
    for file in _existing(environ):
        for key, value in _content_of(file).items():
            said[key] = _merged(said.get(key), _expanded(value, environ))
    for name, value in environ.items():
        if name.startswith("CONDA_") and value:
            key = name.removeprefix("CONDA_").lower()
            if key in ("channels", "default_channels", "pkgs_dirs"):
                said[key] = _merged(said.get(key), [one.strip() for one in value.split(",") if one.strip()])
            elif key in ("channel_alias", "channel_priority", "ssl_verify", "offline"):
                said[key] = value
    defaults = CondaConfiguration()
    return CondaConfiguration(
        channels=_texts(said.get("channels")),
        default_channels=_texts(said.get("default_channels")) or defaults.default_channels,
        channel_alias=str(said.get("channel_alias") or defaults.channel_alias),
        custom_channels=_mapping(said.get("custom_channels")),
        custom_multichannels={
            str(name): _texts(value) for name, value in (said.get("custom_multichannels") or {}).items()
        },
        channel_priority=_priority(said.get("channel_priority")),
        ssl_verify=_truth_or_text(said.get("ssl_verify", True)),
        proxy_servers=_mapping(said.get("proxy_servers")),
        pkgs_dirs=_texts(said.get("pkgs_dirs")),
        offline=_truth_or_text(said.get("offline", False)) is True,
    )


def plain(url: str) -> str:
    """An address without user, password and token: what is shown, digested and kept."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, _TOKEN.sub("", parts.path), "", ""))


def with_credentials(url: str, channels: Sequence[Channel]) -> str:
    """The address of a package as it is fetched: with what its channel's address holds."""
    for channel in channels:
        start = channel.plain.rstrip("/") + "/"
        if url.startswith(start):
            return channel.url.rstrip("/") + "/" + url.removeprefix(start)
    return url


def _existing(environ: Mapping[str, str]) -> Iterator[Path]:
    variables = {"HOME": str(Path.home()), **{name: value for name, value in environ.items() if value}}
    for pattern in _FILES:
        try:
            path = Path(Template(pattern).substitute(variables))
        except KeyError:
            continue  # a variable that is not set names no file
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if one.suffix in (".yml", ".yaml"))
        elif path.is_file():
            yield path


def _content_of(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except _BROKEN_BY as error:
        reason = str(error).splitlines()[0]
        raise PenstockError(
            f"{file}, which says where conda packages come from, cannot be read: {without_credentials(reason)}",
            hint="mend the file; `conda config --validate` says more",
        ) from error
    return content if isinstance(content, Mapping) else {}


def _merged(lower: Any, higher: Any) -> Any:
    """As conda merges its files: the higher one's lines of a list come first, its keys of a mapping win."""
    if isinstance(lower, list) and isinstance(higher, list):
        return list(dict.fromkeys(map(str, [*higher, *lower])))
    if isinstance(lower, dict) and isinstance(higher, dict):
        return {**lower, **higher}
    return lower if higher is None else higher


def _expanded(value: Any, environ: Mapping[str, str]) -> Any:
    """`$NAME` and `${NAME}` filled in: that is how passwords stay out of these files."""
    if isinstance(value, str):
        return Template(value).safe_substitute(environ)
    if isinstance(value, list):
        return [_expanded(one, environ) for one in value]
    if isinstance(value, dict):
        return {key: _expanded(one, environ) for key, one in value.items()}
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _mapping(value: Any) -> dict[str, str]:
    return {str(key): str(one) for key, one in value.items() if one} if isinstance(value, dict) else {}


def _truth_or_text(value: Any) -> str | bool:
    text = str(value).strip()
    if text.lower() in ("true", "yes", "on", "1", "<truststore>", "truststore"):
        return True
    return False if text.lower() in ("false", "no", "off", "0") else text


def _priority(value: Any) -> Priority:
    match str(value).lower():
        case "strict":
            return "strict"
        case "disabled" | "false" | "no" | "off" | "0":
            return "disabled"
        case _:
            return "flexible"
