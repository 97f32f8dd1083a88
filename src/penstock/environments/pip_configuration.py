"""What the user told pip about indexes and certificates, told to uv: it reads none of pip's settings by itself."""

import configparser
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# A user's own word to uv about where packages come from; pip's is then left alone.
_UV_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_UV_INDEX_KEYS = ("index", "index-url", "extra-index-url", "find-links", "no-index")
_SECTIONS = ("global", "download", "install")  # `pip install` reads these, the last one wins


def uv_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables for uv that say what pip's variables and pip.conf say; only those that the user has not set for uv.

    pip looks at all indexes and takes the best version. uv would stop at the first index that knows the name, so
    where pip has an extra index, uv is told to look at all of them too.
    """
    pip = _pip_settings(environ)
    said: dict[str, str] = {}
    if not _user_told_uv(environ):
        said |= _indexes(pip)
    if "trusted-host" in pip:
        said["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if "cert" in pip:
        said["SSL_CERT_FILE"] = os.path.expanduser(pip["cert"])
    if "proxy" in pip:
        said |= {"HTTP_PROXY": pip["proxy"], "HTTPS_PROXY": pip["proxy"]}
    timeout = pip.get("timeout") or pip.get("default-timeout") or ""
    if timeout.isdigit():
        # uv's own default is 30 s, pip's 15 s: a longer wait is a wish, a shorter one is not.
        said["UV_HTTP_TIMEOUT"] = str(max(30, int(timeout)))
    return {name: value for name, value in said.items() if not environ.get(name)}


def uv_arguments(environ: Mapping[str, str]) -> list[str]:
    """What only uv's command line can be told: pip's `no-index`."""
    no_index = _pip_settings(environ).get("no-index", "").lower() in ("1", "true", "yes", "on", "t", "y")
    return ["--no-index"] if no_index and not _user_told_uv(environ) else []


def _user_told_uv(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _UV_INDEXES) or _uv_file_names_an_index(environ)


def _indexes(pip: Mapping[str, str]) -> dict[str, str]:
    said = {}
    if "index-url" in pip:
        said["UV_DEFAULT_INDEX"] = pip["index-url"].strip()
    if extra := pip.get("extra-index-url", "").split():
        said["UV_EXTRA_INDEX_URL"] = " ".join(extra)
        said["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := pip.get("find-links", "").split():
        said["UV_FIND_LINKS"] = ",".join(os.path.expanduser(link) for link in links)
    return said


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """pip's settings by their long names: files first, the variables `PIP_…` over them."""
    settings: dict[str, str] = {}
    for file in _pip_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will complain about it, where it is used
        for section in _SECTIONS:
            if parser.has_section(section):
                settings |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    for name, value in environ.items():
        if name.startswith("PIP_") and value:
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files, the one that wins last. `PIP_CONFIG_FILE=/dev/null` switches all of them off."""
    if environ.get("PIP_CONFIG_FILE") == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    else:
        for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)):
            yield Path(folder) / "pip" / "pip.conf"
        yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    application_support = home / "Library/Application Support/pip"
    if sys.platform == "darwin" and application_support.is_dir():
        yield application_support / "pip.conf"
    else:
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if environ.get("PIP_CONFIG_FILE"):
        yield Path(environ["PIP_CONFIG_FILE"])


def _uv_file_names_an_index(environ: Mapping[str, str]) -> bool:
    home = Path(environ.get("HOME") or Path.home())
    files = [
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml",
        Path("/etc/uv/uv.toml"),
    ]
    if environ.get("UV_CONFIG_FILE"):
        files = [Path(environ["UV_CONFIG_FILE"])]
    return any(_names_an_index(file) for file in files)


def _names_an_index(file: Path) -> bool:
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))  # Any: somebody else's TOML
    except (OSError, ValueError):
        return False  # absent, or broken: then uv itself says so
    pip = content.get("pip")
    return any(key in content or (isinstance(pip, dict) and key in pip) for key in _UV_INDEX_KEYS)
