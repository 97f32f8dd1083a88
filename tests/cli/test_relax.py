"""`--relax`: which commands take it, what it sends, and what is said of what was taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

HERE = "/api/v1/workspaces/default"
RELAXED = {
    "name": "env",
    "version": "3",
    "mark": "relaxed",
    "relaxed": [{"what": "oldlib", "asked": "==0.24.1", "taken": "1.0.2", "why": "no wheel"}],
}
MADE = {"record": {"name": "made", "version": "1", "steps": [], "outputs": {}}, "warnings": []}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env.yml").write_text("name: env\nimage: python\n")
    (tmp_path / "job.yml").write_text("command: x\nenvironment: {image: python}\n")
    (tmp_path / "c.yml").write_text("name: c\ntype: command\ncommand: x\nenvironment: {image: python}\n")
    return tmp_path


def settings_of(fake: FakeServer, path: str) -> Any:
    """What the last request said of the workspace's settings."""
    header = fake.asked("POST", path)[-1].headers.get("Penstock-Settings")
    return None if header is None else json.loads(header)


@pytest.mark.parametrize(
    ("line", "path", "answer"),
    [
        ("environment create -f env.yml", f"{HERE}/environments", MADE),
        ("job create -f job.yml", f"{HERE}/jobs", MADE),
        ("job create -f job.yml --dry-run", f"{HERE}/jobs:plan", MADE),
        ("job validate -f job.yml", f"{HERE}/jobs:validate", {"result": "Succeeded"}),
        ("component create -f c.yml", f"{HERE}/components", MADE),
        ("component validate -f c.yml", f"{HERE}/components:validate", {"result": "Succeeded"}),
        ("check job.yml", f"{HERE}/documents:check", {"missing": [], "problems": []}),
    ],
)
def test_the_flag_counts_before_the_variable(
    penstock: Penstock, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, line: str, path: str, answer: Any
) -> None:
    """Neither is sent where neither is given, so that the workspace's own word counts."""
    fake.on("POST", path, answer)

    penstock(line)
    without = settings_of(fake, path)
    monkeypatch.setenv("PENSTOCK_RELAX", "0")
    penstock(line)
    by_variable = settings_of(fake, path)
    ran = penstock(f"{line} --relax")

    assert without is None
    assert by_variable == {"environments": {"relax": False}}
    assert settings_of(fake, path) == {"environments": {"relax": True}}
    assert ran.code == 0


def test_the_table_is_talk_and_the_record_is_the_result(penstock: Penstock, fake: FakeServer) -> None:
    """A script that reads stdout gets nothing but the record; who wants no talk gets no table."""
    fake.on("POST", f"{HERE}/environments", {"record": RELAXED, "warnings": []}, 201)

    ran = penstock("environment create -f env.yml --relax")
    quiet = penstock("environment create -f env.yml --relax --only-show-errors")

    assert json.loads(ran.out) == RELAXED == json.loads(quiet.out)
    assert ran.err.splitlines() == [
        "asking the package index what can be had; this may take a minute",
        "environment `env:3` is relaxed: 1 difference from what it asks for",
        "  what    asked   taken  why",
        "  ------  ------  -----  --------",
        "  oldlib  0.24.1  1.0.2  no wheel",
        "as a conda file that pins what was taken: penstock environment show -n env -v 3 --query pinned_conda_file -o yaml",
    ]
    assert quiet.err == ""


def test_check_names_the_relaxed_environments_of_a_file(penstock: Penstock, fake: FakeServer) -> None:
    """Nothing is missing, and it is told all the same."""
    relaxed = [{"environment": "env:3", "relaxed": RELAXED["relaxed"]}]
    fake.on("POST", f"{HERE}/documents:check", {"missing": [], "problems": [], "relaxed": relaxed})

    ran, record = penstock("check job.yml"), penstock("check job.yml -o json")

    assert ran.code == 0
    assert ran.out == "environment `env:3` is relaxed: oldlib 0.24.1 → 1.0.2\njob.yml has all that it needs\n"
    assert json.loads(record.out)["relaxed"] == relaxed


def test_a_variable_that_means_nothing_is_told_before_anything_is_asked(
    penstock: Penstock, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name."""
    monkeypatch.setenv("PENSTOCK_RELAX", "perhaps")

    ran = penstock("environment list")

    assert ran.code == 1
    assert "PENSTOCK_RELAX is `perhaps`" in ran.err
    assert fake.asked("GET", f"{HERE}/environments") == []
