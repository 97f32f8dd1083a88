"""The credit project: component files, typed and optional inputs, file outputs, a forest without an MLflow pin."""

import json
from pathlib import Path

import pytest

from tests.journeys.person import EXAMPLES, Person

pytestmark = pytest.mark.slow

EXAMPLE = "credit-default"
OUTPUTS = Path("downloaded") / "named-outputs"


def test_the_sample_is_what_its_script_makes(person: Person, elsewhere: Path) -> None:
    """The checked-in clients can be made anew, byte for byte."""
    person.types("python", "make_sample.py", "--to", elsewhere / "sample.csv")

    made = (elsewhere / "sample.csv").read_bytes()
    assert made == (EXAMPLES / EXAMPLE / "data" / "credit-sample.csv").read_bytes()


def test_what_ci_does_ends_with_a_registered_model(person: Person) -> None:
    """run.sh, as it stands: validate, create, the polling loop of CI templates, download everything."""
    shown = person.types("bash", "run.sh").stdout

    assert "Succeeded" in shown
    assert "Completed" in shown
    assert "credit-default-model" in shown
    (metrics,) = [path for path in (person.folder / OUTPUTS / "metrics").rglob("*") if path.is_file()]
    assert 0.6 < json.loads(metrics.read_text())["roc_auc"] <= 1
    assert list((person.folder / OUTPUTS / "model").rglob("MLmodel")) != []
    assert (person.folder / OUTPUTS / "scored" / "scored.csv").read_text().startswith("LIMIT_BAL,")


def test_an_optional_input_is_left_out_of_the_command(person: Person) -> None:
    """`$[[--sample …]]` of prep is gone, the default of train's optional input is there."""
    (job, *_) = person.record("job", "list", "--query", "[].name")
    log = person.folder / "logs"

    person.penstock("job", "download", "-n", job, "--all", "--download-path", log)
    steps = person.record("job", "list", "--parent-job-name", job)

    by_step = {step["step"]: step for step in steps}
    assert set(by_step) == {"prep", "train", "evaluate", "register"}
    person.penstock("job", "download", "-n", by_step["train"]["name"], "--download-path", "train")
    said = next((person.folder / "train").rglob("std_log.txt")).read_text()
    assert "80 trees, entropy, depth 8, at least 5 clients in a leaf" in said


def test_a_value_that_a_component_does_not_allow_is_named_with_its_choices(person: Person) -> None:
    """Nothing runs: the enum of the component file is checked when the job is created."""
    words = ("--set", "jobs.train.inputs.criterion=guess")

    said = person.types("penstock", "job", "create", "-f", "pipeline.yml", *words, expect=1).stderr

    assert "guess" in said
    assert "gini" in said
    assert "log_loss" in said


def test_the_public_file_runs_through_the_same_components(person: Person, test_data: Path) -> None:
    """Excel instead of CSV, registered as a data asset and bound by --set."""
    shown = person.types("bash", "run.sh", test_data / "credit-default" / "credit_default.xls").stdout

    assert "Completed" in shown
