"""Penstock accepts what the loaders of azure-ai-ml accept, and refuses what they refuse, but for what is written down."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.resources.documents import MODELS
from penstock.resources.validation import validate_file
from tests.resources.azure_ml.disagreements import RULES, page
from tests.resources.azure_ml.subjects import SUBJECTS, cases, lay_out

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements" / "azure-ai-ml.lock"
LOADERS = Path(__file__).with_name("azure_loaders.py")
PAGE = ROOT / "docs" / "reference" / "azure-ml-differences.md"
# Kinds of files that azure-ai-ml has no loader for: another package of the product reads them, or they are ours.
WITHOUT_LOADER = {"mltable", "expectations"}
WRITE = os.environ.get("PENSTOCK_WRITE_GOLDEN") == "1"


@dataclass(frozen=True)
class Verdicts:
    """What both said about one case, and what each found fault with."""

    azure: bool
    penstock: bool
    azure_why: str
    penstock_why: str


def _verdicts_of_azure(files: Mapping[str, Path], folder: Path) -> dict[str, tuple[bool, str]]:
    """Their loaders in an environment of their own: their dependencies are not ours."""
    uv = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", LOCK], check=True)
    lines = "".join(f"{case.kind}\t{files[case.name]}\n" for case in cases())
    done = subprocess.run([python, LOADERS], input=lines, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"path"')]
    by_path = {verdict["path"]: (verdict["ok"], verdict["why"]) for verdict in told}
    return {name: by_path[str(file)] for name, file in files.items()}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdicts]:
    """Both verdicts about every case."""
    files = lay_out(tmp_path_factory.mktemp("corpus"))
    azure = _verdicts_of_azure(files, tmp_path_factory.mktemp("azure-ai-ml"))
    found = {}
    for case in cases():
        ours = validate_file(files[case.name], kind=case.kind)
        why = "; ".join(f"{problem.pointer}: {problem.message}" for problem in ours.problems)
        found[case.name] = Verdicts(azure[case.name][0], ours.ok, azure[case.name][1], why)
    return found


def test_every_field_is_in_the_corpus() -> None:
    """A field that is added to a model is tried with good and bad values."""
    models = {model for kind in MODELS.values() for model in kind}
    tried = {(subject.kind, field) for subject in SUBJECTS.values() for field in subject.fields}
    tried |= {(subject.kind, field) for subject in SUBJECTS.values() for field in subject.base}
    kinds = {model: kind for kind, several in MODELS.items() for model in several}

    missing = sorted(
        f"{kinds[model]}: {field}"
        for model in models
        for field in model.model_fields
        if (kinds[model], field) not in tried and kinds[model] not in WITHOUT_LOADER
    )

    assert missing == []


@pytest.mark.slow
def test_each_disagreement_has_its_reason(verdicts: dict[str, Verdicts]) -> None:
    """The table of differences is complete: nothing else is judged differently."""
    unexplained = [
        f"{name}: Penstock {'accepts' if both.penstock else 'refuses'}: {both.azure_why or both.penstock_why}"
        for name, both in verdicts.items()
        if both.azure != both.penstock
        and not any(rule.covers(name, accepted=both.penstock) for rule in RULES)
    ]

    assert unexplained == []


@pytest.mark.slow
def test_no_difference_is_listed_that_is_none(verdicts: dict[str, Verdicts]) -> None:
    """A rule that explains nothing any more goes."""
    idle = [
        rule.topic
        for rule in RULES
        if not any(
            both.azure != both.penstock and rule.covers(name, accepted=both.penstock)
            for name, both in verdicts.items()
        )
    ]

    assert idle == []


@pytest.mark.slow
def test_the_corpus_asks_questions_of_both_kinds(verdicts: dict[str, Verdicts]) -> None:
    """Hundreds of files that both accept, and hundreds that both refuse: neither says yes or no to everything."""
    assert sum(both.azure and both.penstock for both in verdicts.values()) > 300
    assert sum(not both.azure and not both.penstock for both in verdicts.values()) > 300


def test_the_page_of_differences_is_current() -> None:
    """`PENSTOCK_WRITE_GOLDEN=1` writes it."""
    if WRITE:
        PAGE.write_text(page(), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == page()
