"""From an address to a file or folder of this machine: what the map names, else a download."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from penstock.datastores.downloads import HOW_TO_MAP, Downloads
from penstock.datastores.fetching import refuse_forbidden
from penstock.datastores.receiving import Say
from penstock.datastores.url_map import UrlMap, shown, web_form
from penstock.errors import PenstockError

# What is one file. Of everything else the files would have to be listed, which no plain address allows.
_FILES = ("uri_file", "custom_model")


def local_path(
    url: str,
    urls: UrlMap,
    downloads: Downloads,
    say: Say = lambda text: None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Path:
    """The file or folder that stands for an address; it is downloaded where the map does not name it.

    NoLongerWanted soon after `is_wanted` says no.
    """
    mapped = urls.find(url)
    if mapped is not None:
        path = mapped.existing(url)
        say(f"{shown(url)} is {path} ({mapped.where})")
        return path
    return downloads.fetch(_fetchable(url), say, is_wanted)


def check(url: str, kind: str, urls: UrlMap) -> None:
    """Return if there is a way to the address's data as a `kind`; PenstockError, with the remedy, if there is none."""
    mapped = urls.find(url)
    if mapped is not None:
        path = mapped.existing(url)
        if path.is_dir() and kind == "uri_file":
            raise _misfit(url, path, "folder", kind, mapped.where)
        if not path.is_dir() and kind not in _FILES:
            raise _misfit(url, path, "file", kind, mapped.where)
        return
    if kind not in _FILES:
        raise PenstockError(
            f"`{shown(url)}` cannot be fetched as a {kind}: an address gives one file, and no list of what is below it",
            hint=f"if it is one file, declare it `type: uri_file`; else map it to a local folder: {HOW_TO_MAP}",
        )
    refuse_forbidden(_fetchable(url))


def _misfit(url: str, path: Path, what: str, kind: str, where: str) -> PenstockError:
    return PenstockError(
        f"`{shown(url)}` is mapped to a {what}, and a {kind} is needed", details=(str(path), where)
    )


def _fetchable(url: str) -> str:
    """The https address that gives the same file."""
    web = re.sub(r"(?i)^(https://[a-z0-9-]+)\.dfs\.core\.", r"\1.blob.core.", web_form(url))
    try:
        _ = urlsplit(web).port  # read from the text when it is asked for
    except ValueError as error:
        raise PenstockError(f"`{shown(url)}` is no address: {error}") from error
    if urlsplit(web).scheme.lower() not in ("http", "https"):
        raise PenstockError(
            f"`{shown(url)}` cannot be downloaded: only https, http, wasb(s) and abfs(s) addresses can",
            hint=f"map it to a local file or folder: {HOW_TO_MAP}",
        )
    return web
