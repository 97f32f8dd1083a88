"""A project of somebody who makes mistakes, and what must hold after each of them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from penstock.settings import Home
from tests.journeys.person import Person

# Runs with a Python of the machine that has pip and nothing else.
PLAIN = "environment: {image: 'python:3.11'}"


@dataclass(frozen=True)
class Refusal:
    """A command that failed as it should: its exit code, and what it said on stderr. stdout was empty."""

    code: int
    said: str

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.said.splitlines()]


class Project:
    """A folder with a blank and a letter beyond ASCII in its path, and the person who works in it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.folder = person.folder
        self.home = Home(person.home)

    def write(self, files: dict[str, str]) -> None:
        """The project holds these files and no others."""
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(
        self, *words: str | Path, expect: int = 0, more: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return self.person.types("penstock", *words, expect=expect, more=more)

    def refused(
        self, *words: str | Path, code: int = 1, more: dict[str, str] | None = None, leaves: bool = False
    ) -> Refusal:
        """Run a command that must fail, without a word on stdout, a traceback, or anything half-made (unless it `leaves`)."""
        before = self.things()
        done = self.run(*words, expect=code, more=more)
        assert done.stdout == "", f"stdout of a command that failed: {done.stdout!r}"
        assert "error: " in done.stderr
        assert "/penstock/cli/main.py" not in done.stderr, "a traceback of ours"
        assert "fault of penstock" not in done.stderr
        if not leaves:
            assert self.things() == before, f"half-made: {' '.join(map(str, words))}\n{done.stderr}"
        return Refusal(code, done.stderr)

    def refused_stream(self, name: str) -> str:
        """The error that who follows a failed job later is shown: the same."""
        said = self.run("job", "stream", "-n", name, expect=1).stderr
        return said[said.index("error: ") :]

    def things(self) -> dict[str, Any]:
        """All that a command could leave behind: jobs, environments, data, computes, and folders in the home."""
        found: dict[str, Any] = {"folders": sorted(self._folders())}
        if not self.home.socket.exists():
            return found
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.home.socket)), base_url="http://penstock", timeout=60
        ) as http:
            for kind in ("jobs", "environments", "data", "computes"):
                rows = http.get(f"/api/v1/workspaces/default/{kind}").raise_for_status().json()
                found[kind] = [(row["name"], row.get("latest_version")) for row in rows]
        return found

    def _folders(self) -> list[str]:
        """What lies in the workspaces and beside the environments, whoever made it. Books and caches do not count."""
        places = [*self.home.path.glob("workspaces/**/*"), *self.home.path.glob("environments/built/*")]
        return [str(path.relative_to(self.home.path)) for path in places]
