"""micromamba, mamba or conda, as the machine has them on PATH: the same few words serve all three.

What a solve came to is read from `conda-meta/` of the environment that the program made, which every version of each of
them writes alike; their own reports differ.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from penstock.environments.conda_packages.backend import (
    CondaFailed,
    Ended,
    Question,
    Say,
    run,
    trouble_in,
)
from penstock.environments.conda_packages.channels import (
    Channel,
    CondaConfiguration,
    plain,
    with_credentials,
)
from penstock.environments.conda_packages.lock import CondaPackage
from penstock.environments.credentials import without_credentials
from penstock.environments.files import disk_errors_named
from penstock.environments.uv import Trouble

NAMES = ("micromamba", "mamba", "conda")
_SECONDS_TO_ANSWER = 60
# What says which environment is meant, which we say ourselves, or would change conda's own Python.
_OTHERS_WORDS = (
    "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", "CONDA_PROMPT_MODIFIER", "PYTHONPATH", "PYTHONHOME",
)  # fmt: skip
_KEPT = (
    "name", "version", "build", "build_number", "subdir", "depends", "constrains", "noarch", "license", "license_family",
    "timestamp", "size", "md5", "sha256", "python_site_packages_path", "track_features", "arch", "platform",
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """One of the programs. Its root prefix and its packages lie below `cache`, unless the user named others."""

    path: Path
    folder: Path
    cache: Path
    environ: Mapping[str, str]
    configuration: CondaConfiguration

    @cached_property
    def name(self) -> str:
        """`conda 24.9.2`."""
        try:
            answer = subprocess.run(
                [self.path, "--version"],
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS_TO_ANSWER,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return self.path.name
        version = re.search(r"\d+(?:\.\w+)+", answer.stdout)
        return f"{self.path.name} {version[0]}" if version else self.path.name

    def solve(
        self, question: Question, scratch: Path, say: Say, keep_open: Sequence[int]
    ) -> tuple[CondaPackage, ...]:
        channels = [word for channel in question.channels for word in ("--channel", channel.url)]
        # An environment holds what its file says, and nothing that a person always wants.
        only = ["--no-default-packages"] if self.path.name == "conda" else []
        self._run(
            [*self._create(scratch), *only, "--override-channels", *channels, *question.lines], say, keep_open
        )
        return _packages_in(scratch)

    def install(
        self,
        packages: Sequence[CondaPackage],
        channels: Sequence[Channel],
        prefix: Path,
        say: Say,
        keep_open: Sequence[int],
    ) -> None:
        lines = [
            f"{with_credentials(one.url, channels)}#{one.md5 or f'sha256:{one.sha256}'}" for one in packages
        ]
        with disk_errors_named(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, listed = tempfile.mkstemp(dir=self.folder, prefix=".explicit-", suffix=".txt")
        try:
            with disk_errors_named(self.folder), open(descriptor, "w", encoding="utf-8") as file:
                file.write("\n".join(["@EXPLICIT", *lines]) + "\n")
            self._run([*self._create(prefix), "--file", listed], say, keep_open)
        finally:
            Path(listed).unlink()

    def _create(self, prefix: Path) -> list[str]:
        return ["create", "--prefix", str(prefix), "--yes", "--json"]

    def _run(self, arguments: Sequence[str], say: Say, keep_open: Sequence[int]) -> None:
        """Where the network fails, what was downloaded before may do: that is tried before giving up."""
        try:
            self._run_once(arguments, keep_open)
        except CondaFailed as failure:
            if failure.trouble is not Trouble.NETWORK:
                raise
            say("a download failed; trying with what was downloaded before")
            try:
                self._run_once([*arguments, "--offline"], keep_open)
            except CondaFailed:
                raise failure from None

    def _run_once(self, arguments: Sequence[str], keep_open: Sequence[int]) -> None:
        with disk_errors_named(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        ended = run(
            [str(self.path), *arguments],
            folder=self.folder,
            variables=self._variables(),
            keep_open=keep_open,
        )
        if ended.code != 0:
            text = _words_in(ended)
            raise CondaFailed(trouble_in(text), text)

    def _variables(self) -> dict[str, str]:
        told = {name: value for name, value in self.environ.items() if name not in _OTHERS_WORDS}
        if not self.configuration.pkgs_dirs:
            told["CONDA_PKGS_DIRS"] = str(self.cache / "pkgs")
        told.setdefault("MAMBA_ROOT_PREFIX", str(self.cache / "root"))
        return told | {"CONDA_REGISTER_ENVS": "false", "MAMBA_NO_BANNER": "1", "NO_COLOR": "1"}


def find_program(
    folder: Path, cache: Path, environ: Mapping[str, str], configuration: CondaConfiguration
) -> Program | None:
    """The first of the programs that is on PATH."""
    for name in NAMES:
        found = shutil.which(name, path=environ.get("PATH", os.defpath))
        if found is not None:
            return Program(Path(found), folder, cache, environ, configuration)
    return None


def _packages_in(prefix: Path) -> tuple[CondaPackage, ...]:
    """What the program installed, by name."""
    records = [json.loads(path.read_text("utf-8")) for path in (prefix / "conda-meta").glob("*.json")]
    packages = (
        CondaPackage(
            name=record["name"],
            version=record["version"],
            build=record.get("build") or record["build_string"],
            url=plain(record["url"]),
            md5=record.get("md5"),
            sha256=record.get("sha256"),
            record={key: record[key] for key in _KEPT if key in record},
        )
        for record in records
    )
    return tuple(sorted(packages, key=lambda one: one.name))


def _words_in(ended: Ended) -> str:
    """What the program says about its failure: in its report where there is one, else as it said it."""
    try:
        report: Any = json.loads(ended.output)  # Any: JSON of another program
    except ValueError:
        report = {}
    several = report.get("errors") if isinstance(report, dict) else None
    said = [
        words
        for one in (several if isinstance(several, list) and several else [report])
        if isinstance(one, dict)
        for words in _words_of(one)
    ]
    text = "\n".join(said) or ended.errors.strip() or ended.output.strip()
    return without_credentials(text) or f"it ended with exit code {ended.code} and said nothing"


def _words_of(report: dict[str, Any]) -> list[str]:
    problems = report.get("solver_problems")
    said = [str(one) for one in problems] if isinstance(problems, list) else []
    message, kind = report.get("message") or report.get("error"), report.get("exception_name")
    return [*said, f"{kind}: {message}" if kind else str(message)] if message else said
