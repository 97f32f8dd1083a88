"""The model registry against a real MLflow server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import AlreadyExists, Conflict, NotFound, PenstockError
from penstock.identity.tokens import Caller
from penstock.tracking.models import Models
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from tests.tracking.conftest import Port

pytestmark = pytest.mark.slow


@pytest.fixture
def models(rest: MlflowRest) -> Models:
    """The registry on the server of this room's tests."""
    return Models(rest)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model in two files."""
    source = tmp_path / "my model"
    (source / "sub").mkdir(parents=True)
    (source / "weights.bin").write_bytes(b"\x00" * 1000)
    (source / "sub" / "config.json").write_text("{}")
    return source


def test_a_folder_becomes_a_version(models: Models, workspace: str, folder: Path) -> None:
    """Everything that was said about it comes back, and its files are there."""
    created = models.create(
        workspace, "taxi", None, folder, description="fares", tags={"stage": "dev", "owner?": "me"},
        properties={"rows": "10"}, job_name="brave_tree",
    )  # fmt: skip

    found = models.get(workspace, "taxi", "1")

    assert found == created
    assert (found.version, found.mlflow_version, found.type) == ("1", "1", "custom_model")
    assert found.description == "fares"
    assert found.tags == {"stage": "dev", "owner?": "me"}
    assert found.properties == {"rows": "10"}
    assert (found.job_name, found.file_name, found.flavors) == ("brave_tree", "my model", {})
    assert found.created_at > 1e9
    local = models.local_folder(workspace, "taxi", "1")
    assert sorted(path.relative_to(local).as_posix() for path in local.rglob("*")) == [
        "sub", "sub/config.json", "weights.bin",
    ]  # fmt: skip


def test_a_file_becomes_a_version(models: Models, workspace: str, folder: Path) -> None:
    """It lies under its own name."""
    models.create(workspace, "taxi", "7", folder / "weights.bin")

    record = models.get(workspace, "taxi", "7")

    assert (models.local_folder(workspace, "taxi", "7") / "weights.bin").stat().st_size == 1000
    assert record.file_name == "weights.bin"


def test_the_same_content_again_changes_nothing(models: Models, workspace: str, folder: Path) -> None:
    """A pipeline may register twice."""
    first = models.create(workspace, "taxi", "1", folder)
    os.utime(folder / "weights.bin", (1, 1))

    again = models.create(workspace, "taxi", "1", folder)

    assert again == first
    assert len(models.versions(workspace, "taxi")) == 1


def test_other_content_under_the_same_version_is_refused(
    models: Models, workspace: str, folder: Path
) -> None:
    """Nothing half-made is left behind."""
    models.create(workspace, "taxi", "1", folder)
    (folder / "weights.bin").write_bytes(b"other")

    with pytest.raises(AlreadyExists, match="taxi:1` exists with other content"):
        models.create(workspace, "taxi", "1", folder)

    assert len(models.versions(workspace, "taxi")) == 1


def test_a_version_may_be_any_word(models: Models, workspace: str, folder: Path) -> None:
    """The next number follows the greatest one; MLflow's number is no other name of it where there are numbers."""
    models.create(workspace, "taxi", "2024-01-31", folder)
    models.create(workspace, "taxi", "12", folder)
    models.create(workspace, "taxi", None, folder)

    versions = models.versions(workspace, "taxi")

    assert [(record.version, record.mlflow_version) for record in versions] == [
        ("13", "3"), ("12", "2"), ("2024-01-31", "1"),
    ]  # fmt: skip
    assert models.get(workspace, "taxi", "12").mlflow_version == "2"
    with pytest.raises(NotFound, match="`taxi:1` was not found"):
        models.get(workspace, "taxi", "1")


def test_of_a_model_whose_versions_are_words_mlflows_number_finds_one(
    models: Models, workspace: str, folder: Path
) -> None:
    """As MLflow's clients call it."""
    models.create(workspace, "taxi", "2024-01-31", folder)

    assert models.get(workspace, "taxi", "1").version == "2024-01-31"


def test_the_same_version_again_is_described_anew(models: Models, workspace: str, folder: Path) -> None:
    """What is said of it is not dropped; what is not said stays."""
    models.create(workspace, "taxi", "1", folder, description="fares", tags={"a": "1", "b": "1"}, stage="Dev")

    again = models.create(workspace, "taxi", "1", folder, tags={"b": "2"}, properties={"rows": "1"})

    assert (again.description, again.tags, again.stage) == ("fares", {"a": "1", "b": "2"}, "Dev")
    assert again.properties == {"rows": "1"}
    assert [record.tags for record in models.versions(workspace, "taxi")] == [again.tags]


def test_a_name_that_mlflow_refuses_leaves_nothing(
    models: Models, rest: MlflowRest, runs: Runs, workspace: str, folder: Path
) -> None:
    """Not the copy of its files either."""
    with pytest.raises(PenstockError, match="Invalid model name"):
        models.create(workspace, "a/b", None, folder)

    body = {"experiment_ids": [runs.experiment_id(workspace, "registered models")]}
    assert rest.post(workspace, "logged-models/search", body).get("models", []) == []


def test_a_number_is_never_two_versions(
    models: Models, rest: MlflowRest, workspace: str, folder: Path
) -> None:
    """What an MLflow client registers as 2 after we made our own 2 goes by another name with us."""
    models.create(workspace, "taxi", "2", folder)
    source = rest.get(workspace, "model-versions/get", {"name": "taxi", "version": "1"})["model_version"]
    body = {"name": "taxi", "source": source["source"], "model_id": source["source"].removeprefix("models:/")}
    rest.post(workspace, "model-versions/create", body)

    assert [record.version for record in models.versions(workspace, "taxi")] == ["mlflow-2", "2"]
    assert models.get(workspace, "taxi", "2").mlflow_version == "1"
    assert models.get(workspace, "taxi", "mlflow-2").mlflow_version == "2"


def test_an_absent_version_says_what_there_is(models: Models, workspace: str, folder: Path) -> None:
    """And an absent model too."""
    models.create(workspace, "taxi", None, folder)

    with pytest.raises(NotFound, match="`taxi:9` was not found") as raised:
        models.get(workspace, "taxi", "9")
    assert "versions 1" in raised.value.details[0]

    with pytest.raises(NotFound) as raised:
        models.get(workspace, "bus", "1")
    assert "no such name" in raised.value.details[0]
    assert models.find(workspace, "bus", "1") is None


def test_the_catalogue_has_one_line_per_model(models: Models, workspace: str, folder: Path) -> None:
    """Its newest version."""
    for name in ("taxi", "taxi", "bus"):
        models.create(workspace, name, None, folder)

    assert [(record.name, record.version) for record in models.catalogue(workspace)] == [
        ("bus", "1"),
        ("taxi", "2"),
    ]


def test_labels_name_versions(models: Models, rest: MlflowRest, workspace: str, folder: Path) -> None:
    """`latest` is the newest that is not archived; every alias of MLflow's is a label."""
    models.create(workspace, "taxi", None, folder)
    models.create(workspace, "taxi", None, folder)
    rest.post(workspace, "registered-models/alias", {"name": "taxi", "alias": "champion", "version": "1"})

    assert models.labelled(workspace, "taxi", "champion").version == "1"
    assert models.get(workspace, "taxi", "1").aliases == ("champion",)
    assert models.labelled(workspace, "taxi").version == "2"
    models.update(workspace, "taxi", "2", archived=True)
    assert models.labelled(workspace, "taxi").version == "1"
    with pytest.raises(NotFound, match="taxi@nobody"):
        models.labelled(workspace, "taxi", "nobody")


def test_an_archived_model_hides_its_versions(
    models: Models, rest: MlflowRest, workspace: str, folder: Path
) -> None:
    """Also those that an MLflow client adds; restoring brings back what was archived alone as well."""
    for name in ("taxi", "taxi", "bus"):
        models.create(workspace, name, None, folder)
    models.update(workspace, "taxi", "1", archived=True)

    models.archive_whole(workspace, "taxi", True)
    source = models.get(workspace, "bus", "1").path
    added = {"name": "taxi", "source": source, "model_id": source.removeprefix("models:/")}
    rest.post(workspace, "model-versions/create", added)

    found = {record.version: record for record in models.versions(workspace, "taxi")}
    assert sorted(found) == ["1", "2", "3"]
    assert all(record.archived and record.archived_whole for record in found.values())
    assert [record.archived_alone for record in models.versions(workspace, "taxi")] == [False, False, True]
    assert [(record.name, record.archived) for record in models.catalogue(workspace)] == [
        ("bus", False),
        ("taxi", True),
    ]
    with pytest.raises(NotFound, match="all its versions are archived"):
        models.labelled(workspace, "taxi")
    models.archive_whole(workspace, "taxi", False)
    assert not any(record.archived for record in models.versions(workspace, "taxi"))
    assert models.labelled(workspace, "taxi").version == "3"
    with pytest.raises(NotFound, match="tram"):
        models.archive_whole(workspace, "tram", True)


def test_an_archived_version_gives_way_in_the_catalogue(models: Models, workspace: str, folder: Path) -> None:
    """The model is listed by its newest version that is not archived."""
    models.create(workspace, "taxi", None, folder)
    models.create(workspace, "taxi", None, folder)
    models.update(workspace, "taxi", "2", archived=True)

    assert [(each.version, each.archived) for each in models.catalogue(workspace)] == [("1", False)]
    models.update(workspace, "taxi", "1", archived=True)
    assert [(each.version, each.archived) for each in models.catalogue(workspace)] == [("2", True)]


def test_stage_and_properties_may_change(models: Models, workspace: str, folder: Path) -> None:
    """An empty text removes the stage and the description."""
    models.create(workspace, "taxi", None, folder, stage="dev", description="d")

    changed = models.update(workspace, "taxi", "1", stage="Production", properties={"a": "b"})
    emptied = models.update(workspace, "taxi", "1", stage="", description="")

    assert (changed.stage, changed.properties, changed.description) == ("Production", {"a": "b"}, "d")
    assert (emptied.stage, emptied.description) == (None, None)


def test_tags_and_description_may_change(models: Models, workspace: str, folder: Path) -> None:
    """Tags are replaced as a whole, those with odd names too; what we keep ourselves stays."""
    models.create(workspace, "taxi", "a", folder, tags={"x": "1", "y?": "2"}, properties={"p": "3"})

    changed = models.update(workspace, "taxi", "a", description="new", tags={"z": "4"})

    assert (changed.description, changed.tags, changed.properties) == ("new", {"z": "4"}, {"p": "3"})
    assert changed.version == "a"


def test_a_deleted_version_is_gone_with_its_files(models: Models, workspace: str, folder: Path) -> None:
    """With the last one goes the model; its name is free again."""
    models.create(workspace, "taxi", "1", folder)
    local = models.local_folder(workspace, "taxi", "1")

    models.delete(workspace, "taxi", "1")

    assert not local.exists()
    assert models.versions(workspace, "taxi") == []
    assert models.create(workspace, "taxi", "1", folder).version == "1"


def test_a_flipped_byte_names_the_file(models: Models, workspace: str, folder: Path) -> None:
    """Files are read again before they are used."""
    models.create(workspace, "taxi", "1", folder)
    weights = models.local_folder(workspace, "taxi", "1") / "weights.bin"
    weights.write_bytes(b"\x01" + weights.read_bytes()[1:])

    with pytest.raises(Conflict, match="are not what was registered") as raised:
        models.local_folder(workspace, "taxi", "1")

    assert raised.value.details[0].startswith("weights.bin has the digest")


def test_an_mlflow_model_needs_its_mlmodel_file(models: Models, workspace: str, folder: Path) -> None:
    """The error says what was found instead."""
    with pytest.raises(PenstockError, match="no file MLmodel"):
        models.create(workspace, "taxi", None, folder, type="mlflow_model")

    assert models.versions(workspace, "taxi") == []


def test_an_empty_folder_is_no_model(models: Models, workspace: str, tmp_path: Path) -> None:
    """Refused before anything is written."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(PenstockError, match="has no files"):
        models.create(workspace, "taxi", None, tmp_path / "empty")


def test_a_link_that_leads_out_is_refused(models: Models, workspace: str, folder: Path) -> None:
    """A model takes no foreign file with it."""
    (folder / "passwords").symlink_to("/etc/passwd")

    with pytest.raises(PenstockError, match="leads out of the model's folder"):
        models.create(workspace, "taxi", None, folder)


def test_a_version_of_a_run_links_to_it(models: Models, runs: Runs, workspace: str, folder: Path) -> None:
    """MLflow's page then shows the run."""
    run = runs.start_run(workspace, runs.experiment_id(workspace, "e"), "r")

    created = models.create(workspace, "taxi", None, folder, run_id=run)

    assert created.run_id == run


_SCRIPT = """
import json, mlflow, mlflow.sklearn, numpy as np, sys
from sklearn.linear_model import LinearRegression
mlflow.set_experiment("e")
with mlflow.start_run():
    mlflow.sklearn.log_model(LinearRegression().fit([[0.0],[1.0]],[0.0,2.0]), name="m",
        registered_model_name="theirs", pip_requirements=["scikit-learn"])
loaded = mlflow.pyfunc.load_model("models:/ours/1")
folder = mlflow.artifacts.download_artifacts("models:/plain/1")
print(json.dumps({"prediction": round(float(loaded.predict(np.array([[3.0]]))[0]), 6), "text": open(folder + "/note.txt").read()}))
"""


def test_what_we_register_mlflow_loads_and_what_mlflow_registers_we_find(
    models: Models, port: Port, workspace: str, tmp_path: Path
) -> None:
    """One registry, seen from both sides."""
    saved = tmp_path / "saved"
    program = (
        "import mlflow.sklearn, sys; from sklearn.linear_model import LinearRegression as L;"
        "mlflow.sklearn.save_model(L().fit([[0.0],[1.0]],[0.0,2.0]), sys.argv[1], pip_requirements=['scikit-learn'])"
    )
    subprocess.run([sys.executable, "-c", program, str(saved)], check=True, cwd=tmp_path)
    (tmp_path / "note.txt").write_text("plain words")
    ours = models.create(workspace, "ours", None, saved, type="mlflow_model")
    models.create(workspace, "plain", None, tmp_path / "note.txt")

    environment = port.client_environment(Caller("job", workspace, "j"), workspace)
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env=environment,
        cwd=tmp_path,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )

    assert ours.flavors is not None
    assert set(ours.flavors) == {"python_function", "sklearn"}
    assert json.loads(done.stdout.splitlines()[-1]) == {"prediction": 6.0, "text": "plain words"}
    theirs = models.get(workspace, "theirs", "1")
    assert (theirs.type, theirs.digest) == ("mlflow_model", None)
    assert "sklearn" in (theirs.flavors or {})
    assert (models.local_folder(workspace, "theirs", "1") / "MLmodel").is_file()
