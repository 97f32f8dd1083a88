"""The process in which py-rattler solves or installs: a question as JSON on standard input, lines of JSON as the answer.

`{"say": …}` is progress; the last line is `{"packages": …}`, or `{"error": …}` with the reason.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any  # Any in this module: JSON, or an exception's words

from penstock.environments.conda_packages.channels import plain

_MOST_VERSIONS = 12


class Unanswerable(Exception):
    """No set of packages answers the question. `absent` are the lines that no channel has a package for."""

    def __init__(self, text: str, absent: dict[str, list[str]]) -> None:
        super().__init__(text)
        self.absent = absent


def main() -> int:
    """Answer one question. The exit code is 0 where it was answered."""
    question = json.load(sys.stdin)
    try:
        with _told_who_asks(question.get("authentication") or {}):
            answer = asyncio.run(_solve(question) if question["do"] == "solve" else _install(question))
    except Unanswerable as error:
        _tell({"error": str(error), "kind": "conflict", "absent": error.absent})
        return 1
    except Exception as error:  # whatever py-rattler raises is the answer: its words say what is wrong
        _tell({"error": _words_of(error)})
        return 1
    _tell({"packages": answer})
    return 0


async def _solve(question: dict[str, Any]) -> list[dict[str, Any]]:
    import rattler
    from rattler.exceptions import SolverError

    gateway = rattler.Gateway(
        cache_dir=Path(question["cache"]) / "repodata",
        default_config=rattler.SourceConfig(
            cache_action="force-cache-only" if question.get("offline") else "cache-or-fetch"
        ),
        client=_client(question),
    )
    priority = rattler.ChannelPriority[question["priority"].capitalize()]
    platforms = [rattler.Subdir(question["subdir"]), rattler.Subdir("noarch")]
    specs = [_spec(line) for line in question["lines"]]
    try:
        records = await rattler.solve(
            sources=question["channels"],
            specs=specs,
            gateway=gateway,
            platforms=platforms,
            virtual_packages=rattler.VirtualPackage.detect(rattler.VirtualPackageOverrides.from_env()),
            channel_priority=priority,
        )
    except SolverError as error:
        absent = await _absent(gateway, question, platforms, specs)
        raise Unanswerable(_words_of(error), absent) from error
    return sorted((_package(record) for record in records), key=lambda one: str(one["name"]))


def _spec(line: str) -> Any:
    import rattler
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return rattler.MatchSpec(line, strict=False)
    except InvalidMatchSpecError as error:
        raise Unanswerable(f"`{line}` is no conda package specification: {error}", {}) from error


async def _absent(
    gateway: Any, question: dict[str, Any], platforms: Sequence[Any], specs: Sequence[Any]
) -> dict[str, list[str]]:
    """The lines that no channel has a package for, each with the versions that there are of its name."""
    absent: dict[str, list[str]] = {}
    for line, spec in zip(question["lines"], specs, strict=True):
        found = await gateway.query(question["channels"], platforms, [spec.name.normalized], recursive=False)
        records = [record for channel in found for record in channel]
        if not any(spec.matches(record) for record in records):
            versions = sorted({record.version for record in records}, reverse=True)
            absent[line] = [str(version) for version in versions[:_MOST_VERSIONS]]
    return absent


def _package(record: Any) -> dict[str, Any]:
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build": str(record.build),
        "url": plain(record.url),
        "md5": record.md5.hex() if record.md5 else None,
        "sha256": record.sha256.hex() if record.sha256 else None,
        "record": {
            key: value for key, value in json.loads(record.to_json()).items() if key not in ("url", "channel")
        },
    }


async def _install(question: dict[str, Any]) -> list[dict[str, Any]]:
    import rattler

    records = []
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index.json"
        for package in question["packages"]:
            record, url = package["record"], package["url"]
            index.write_text(json.dumps(record), "utf-8")
            known = rattler.PackageRecord.from_index_json(
                index, record.get("size"), record.get("sha256"), record.get("md5")
            )
            channel, _, file_name = url.rpartition("/")
            records.append(rattler.RepoDataRecord(known, file_name, url, channel.rpartition("/")[0]))
    await rattler.install(
        records,
        target_prefix=question["prefix"],
        cache_dir=Path(question["cache"]) / "packages",
        installed_packages=[],
        execute_link_scripts=True,
        client=_client(question),
        reporter=_progress(),
    )
    return []


def _progress() -> Any:
    """Says what is downloaded: the rest takes a moment."""
    from rattler import InstallerReporter

    class Progress(InstallerReporter):
        def __init__(self) -> None:
            self._names: list[str] = []

        def on_populate_cache_start(self, operation: int, package_name: str) -> int:
            self._names.append(package_name)
            return len(self._names) - 1

        def on_download_start(self, cache_entry: int) -> int:
            _tell({"say": f"downloading {self._names[cache_entry]}"})
            return cache_entry

    return Progress()  # type: ignore[abstract]  # its other methods have empty bodies, which do


@contextmanager
def _told_who_asks(authentication: dict[str, Any]) -> Iterator[None]:
    """py-rattler reads credentials by host from a file: in an address they would stay in its caches and records.

    What the user told it in a file of their own counts too.
    """
    if not authentication:
        yield
        return
    own = os.environ.get("RATTLER_AUTH_FILE")
    known = json.loads(Path(own).read_text("utf-8")) if own and Path(own).exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "credentials.json"
        file.write_text(json.dumps({**known, **authentication}), "utf-8")
        os.environ["RATTLER_AUTH_FILE"] = str(file)
        yield


def _client(question: dict[str, Any]) -> Any:
    import rattler

    toml = "tls-no-verify = true" if question.get("tls_no_verify") else ""
    return rattler.Client.from_config(rattler.Config.from_toml(toml))


def _words_of(error: BaseException) -> str:
    """Everything that the error and its causes say."""
    words, cause = [f"{type(error).__name__}: {error}"], error.__cause__
    while cause is not None and len(words) < 8:
        words.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    return "\n".join(words)


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # py-rattler's threads may still hold objects of Python's, and crash a Python that takes itself down around them.
    os._exit(code)
