"""py-rattler as the back-end: it works in a process of its own, so that its memory and its locks end with it."""

import importlib.util
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from penstock.environments.conda_packages.asking import Line
from penstock.environments.conda_packages.backend import (
    CondaFailed,
    Ended,
    Question,
    Say,
    run,
    trouble_in,
)
from penstock.environments.conda_packages.channels import Channel, CondaConfiguration, with_credentials
from penstock.environments.conda_packages.lock import CondaPackage
from penstock.environments.credentials import without_credentials
from penstock.environments.uv import Trouble

_PROGRAM = "penstock.environments.conda_packages.rattler_program"
_DISTRIBUTION = "py-rattler"
_TOKEN = re.compile(r"/t/([A-Za-z0-9_-]+)/")


def is_here() -> bool:
    """Whether py-rattler can be imported."""
    return importlib.util.find_spec("rattler") is not None


@dataclass(frozen=True)
class Rattler:
    """py-rattler with the user's certificates and proxies. `cache` is the folder of its downloads."""

    folder: Path
    cache: Path
    environ: Mapping[str, str]
    configuration: CondaConfiguration

    @property
    def name(self) -> str:
        return f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}"

    def solve(
        self, question: Question, scratch: Path, say: Say, keep_open: Sequence[int]
    ) -> tuple[CondaPackage, ...]:
        asked: dict[str, Any] = {
            "do": "solve",
            "lines": [self._addressed(line) for line in question.lines],
            "channels": [one.url for one in _asked_as(question.channels)],
            "authentication": _authentication(question.channels),
            "priority": question.priority,
            "subdir": question.subdir,
        }
        words = dict(zip(asked["lines"], question.lines, strict=True))
        try:
            answer = self._ask(asked, say, keep_open)
        except CondaFailed as failure:
            failure.absent = {words.get(line, line): versions for line, versions in failure.absent.items()}
            raise
        return tuple(CondaPackage(**one) for one in answer["packages"])

    def install(
        self,
        packages: Sequence[CondaPackage],
        channels: Sequence[Channel],
        prefix: Path,
        say: Say,
        keep_open: Sequence[int],
    ) -> None:
        asked = {
            "do": "install",
            "prefix": str(prefix),
            "packages": [
                {"record": dict(one.record), "url": with_credentials(one.url, _asked_as(channels))}
                for one in packages
            ],
            "authentication": _authentication(channels),
        }
        self._ask(asked, say, keep_open)

    def _addressed(self, line: str) -> str:
        """The line with the address of a channel that it names: py-rattler does not know what `.condarc` says."""
        channel = Line(line, "").channel
        if channel is None or "://" in channel or f"{channel}::" not in line:
            return line
        address = next(self.configuration.addresses(channel), channel)
        return line.replace(f"{channel}::", f"{address}::", 1)

    # Any: JSON of our own program.
    def _ask(self, asked: Mapping[str, Any], say: Say, keep_open: Sequence[int]) -> dict[str, Any]:
        """Where the network fails, what was downloaded before may do: that is tried before giving up."""
        if self.configuration.offline:
            return self._ask_once({**asked, "offline": True}, say, keep_open)
        try:
            return self._ask_once(asked, say, keep_open)
        except CondaFailed as failure:
            if failure.trouble is not Trouble.NETWORK or asked["do"] != "solve":
                raise
            say("a download failed; trying with what was downloaded before")
            try:
                return self._ask_once({**asked, "offline": True}, say, keep_open)
            except CondaFailed:
                raise failure from None

    def _ask_once(self, asked: Mapping[str, Any], say: Say, keep_open: Sequence[int]) -> dict[str, Any]:
        answer: dict[str, Any] = {}

        def hear(line: str) -> None:
            try:
                told = json.loads(line)
            except ValueError:
                return say(without_credentials(line))  # a package's own link script
            if isinstance(told, dict) and "say" in told:
                return say(without_credentials(told["say"]))
            if isinstance(told, dict):
                answer.update(told)
            return None

        whole = {**asked, "cache": str(self.cache), "tls_no_verify": self.configuration.ssl_verify is False}
        self.folder.mkdir(parents=True, exist_ok=True)
        ended = run(
            [sys.executable, "-P", "-m", _PROGRAM],
            folder=self.folder,
            variables=self._variables(),
            question=json.dumps(whole),
            keep_open=keep_open,
            hear=hear,
        )
        if ended.code != 0 or "packages" not in answer:
            raise _failure(answer, ended)
        return answer

    def _variables(self) -> dict[str, str]:
        """The server's, with what `.condarc` says about certificates and proxies where they do not."""
        told = dict(self.environ)
        if isinstance(self.configuration.ssl_verify, str):
            told.setdefault("SSL_CERT_FILE", self.configuration.ssl_verify)
        for scheme, address in self.configuration.proxy_servers.items():
            told.setdefault(f"{scheme.upper()}_PROXY", address)
        return told | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}


def _authentication(channels: Sequence[Channel]) -> dict[str, Any]:
    """User and password, or the token at the beginning of the path, by host: as py-rattler keeps them."""
    found: dict[str, Any] = {}
    for channel in channels:
        parts = urlsplit(channel.url)
        if parts.hostname and parts.username and not _TOKEN.match(parts.path):
            user, password = unquote(parts.username), unquote(parts.password or "")
            found[parts.hostname] = {"BasicHTTP": {"username": user, "password": password}}
        elif parts.hostname and not parts.username and (token := _TOKEN.match(parts.path)):
            found[parts.hostname] = {"CondaToken": token[1]}
    return found


def _asked_as(channels: Sequence[Channel]) -> list[Channel]:
    """The addresses that are asked: without what py-rattler is told by host."""
    known = _authentication(channels)
    return [
        Channel(channel.plain) if urlsplit(channel.url).hostname in known else channel for channel in channels
    ]


def _failure(answer: Mapping[str, Any], ended: Ended) -> CondaFailed:
    text = without_credentials(str(answer.get("error") or "")) or ended.errors.strip()
    text = text or f"py-rattler's process ended with exit code {ended.code} and said nothing"
    kind = Trouble.CONFLICT if answer.get("kind") == "conflict" else trouble_in(text)
    return CondaFailed(kind, text, answer.get("absent"))
