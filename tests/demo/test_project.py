"""The demo's files stand on their own, and its environment is built from what our own installation has fetched."""

import re
from importlib.resources import files
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = Path(str(files("penstock.demo"))) / "project"


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_the_demos_pins_are_those_of_our_own_lock() -> None:
    """uv then has every package of the demo's environment at hand, and the demo needs no second download."""
    conda = yaml.safe_load((PROJECT / "conda.yml").read_text(encoding="utf-8"))
    wanted = {}
    for entry in conda["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else [entry.replace("=", "==")]:
            name, _, version = line.partition("==")
            wanted[name] = version

    locked = pins((ROOT / "requirements" / "run.lock").read_text(encoding="utf-8"))

    assert {name: locked.get(name) for name in wanted if name != "pip"} == {
        name: version for name, version in wanted.items() if name != "pip"
    }


def test_both_locks_agree() -> None:
    """Whoever works on Penstock runs what its users run."""
    run = pins((ROOT / "requirements" / "run.lock").read_text(encoding="utf-8"))
    dev = pins((ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8"))

    assert {name: dev.get(name) for name in run} == run


def test_the_demo_says_nothing_that_the_cloud_would_not_understand() -> None:
    """The folder is a plain Azure ML v2 project: no file of it names Penstock."""
    files = [path for path in PROJECT.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert [path.name for path in files if "penstock" in path.read_text(encoding="utf-8").lower()] == []
