"""`penstock environment|data|model|compute|workspace`: what is sent and what is printed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

HERE = "/api/v1/workspaces/default"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def accept(fake: FakeServer, path: str) -> None:
    fake.on("POST", path, {"record": {"name": "made", "version": "1"}, "warnings": []}, 201)


def sent(fake: FakeServer, path: str) -> dict[str, Any]:
    found: dict[str, Any] = fake.asked("POST", path)[-1].json["document"]
    return found


def test_an_environment_from_flags(penstock: Penstock, fake: FakeServer, here: Path) -> None:
    """The conda file travels in the document."""
    (here / "conda.yml").write_text("dependencies: [python=3.11]\n")
    accept(fake, f"{HERE}/environments")

    ran = penstock(
        "environment create -n env -v 2 --image python -c conda.yml --os-type Linux --tags a=b --query version -o tsv"
    )

    assert (ran.code, ran.out) == (0, "1\n")
    assert sent(fake, f"{HERE}/environments") == {
        "name": "env",
        "version": "2",
        "image": "python",
        "conda_file": {"dependencies": ["python=3.11"]},
        "os_type": "linux",
        "tags": {"a": "b"},
    }


@pytest.mark.parametrize("file", ["team.yml", "files/team.yml"])
def test_a_setting_of_a_workspaces_file_starts_from_the_files_folder(
    penstock: Penstock, fake: FakeServer, here: Path, file: str
) -> None:
    """Also where that folder is the current one: the server works elsewhere, and gets the whole path."""
    place = here / file
    place.parent.mkdir(exist_ok=True)
    place.write_text("name: team\nsettings: {url_map: ./urls.yml}\n")
    fake.on("POST", "/api/v1/workspaces", {"record": {"name": "team"}, "warnings": []}, 201)

    ran = penstock(f"workspace create -f {file}")

    assert ran.code == 0
    assert sent(fake, "/api/v1/workspaces")["settings"] == {"url_map": str(place.parent / "urls.yml")}


def test_an_environment_from_a_file_with_flags_before_it(
    penstock: Penstock, fake: FakeServer, here: Path
) -> None:
    """--version counts before the file's."""
    (here / "env.yml").write_text("name: env\nversion: 1\nimage: python\n")
    accept(fake, f"{HERE}/environments")

    ran = penstock("environment create --file env.yml --version 7 --set description=x --no-wait")

    assert (ran.code, ran.out) == (0, "")
    document = sent(fake, f"{HERE}/environments")
    assert (document["version"], document["description"]) == ("7", "x")


def test_a_model_and_data_from_flags(penstock: Penstock, fake: FakeServer) -> None:
    """A remote path is sent as it is."""
    accept(fake, f"{HERE}/models")
    accept(fake, f"{HERE}/data")

    penstock("model create -n m --type mlflow_model --path azureml://jobs/j/outputs/o/paths/m --version 3")
    penstock("data create --name d --type URI_FILE --path https://example.org/d.csv")

    assert sent(fake, f"{HERE}/models") == {
        "name": "m",
        "type": "mlflow_model",
        "path": "azureml://jobs/j/outputs/o/paths/m",
        "version": "3",
    }
    assert sent(fake, f"{HERE}/data") == {
        "name": "d",
        "type": "uri_file",
        "path": "https://example.org/d.csv",
    }


def test_a_file_that_is_missing_is_named_by_its_flag(penstock: Penstock, fake: FakeServer) -> None:
    """There is no line to point at."""
    ran = penstock("data create -n d -p nowhere.csv")

    assert ran.code == 1
    assert "nowhere.csv" in ran.err
    assert "--path" in ran.err


@pytest.mark.parametrize("noun", ["environment", "data", "model"])
def test_show_needs_a_version_or_a_label(penstock: Penstock, fake: FakeServer, noun: str) -> None:
    """Exactly one of them."""
    plural = {"environment": "environments", "data": "data", "model": "models"}[noun]
    fake.on("GET", f"{HERE}/{plural}/a/versions/1", {"version": "1"})
    fake.on("GET", f"{HERE}/{plural}/a/labels/latest", {"version": "2"})

    assert penstock(f"{noun} show -n a").code == 1
    assert penstock(f"{noun} show -n a -v 1 -l latest").code == 1
    assert penstock(f"{noun} show -n a -v 1 --query version -o tsv").out == "1\n"
    assert penstock(f"{noun} show --name a --label latest --query version --output tsv").out == "2\n"


def test_a_missing_asset_is_exit_code_3_with_the_nearest_name(penstock: Penstock, fake: FakeServer) -> None:
    """Where the server has no better advice."""
    fake.on("GET", f"{HERE}/models", [{"name": "taxi-model"}])

    ran = penstock("model show -n taxi-modle -v 1")

    assert ran.code == 3
    assert "did you mean the model `taxi-model`?" in ran.err


def test_lists_ask_for_what_their_flags_say(penstock: Penstock, fake: FakeServer) -> None:
    """Names, versions, archived ones."""
    fake.on("GET", f"{HERE}/models", [{"name": "m", "version": "2"}, {"name": "m", "version": "1"}])

    assert penstock('model list -n m --query "[0].version" -o tsv').out == "2\n"
    assert penstock('model list --query "max([].version)"').out == '"2"\n'
    penstock("model list --include-archived -r 3")

    assert fake.requests[0].query == {"name": ["m"]}
    assert fake.requests[-1].query == {"include_archived": ["true"], "max_results": ["3"]}


@pytest.mark.parametrize(
    "line", ["model create", "environment create --set a.b=c", "data create --set broken"]
)
def test_nothing_to_create_is_a_usage_error(penstock: Penstock, line: str) -> None:
    """Before any server is asked."""
    assert penstock(line).code == 2


def test_a_compute_from_flags_as_templates_write_it(penstock: Penstock, fake: FakeServer) -> None:
    """Numbers are numbers; identities are passed on."""
    accept(fake, f"{HERE}/computes")

    penstock(
        "compute create --name cpu-cluster --type AmlCompute --size STANDARD_DS3_V2 --min-instances 0 --max-instances 4"
        " --tier low_priority --idle-time-before-scale-down 120 --identity-type user_assigned"
        " --user-assigned-identities /a,/b"
    )

    assert sent(fake, f"{HERE}/computes") == {
        "name": "cpu-cluster",
        "type": "AmlCompute",
        "size": "STANDARD_DS3_V2",
        "min_instances": 0,
        "max_instances": 4,
        "tier": "low_priority",
        "idle_time_before_scale_down": 120,
        "identity": {
            "type": "user_assigned",
            "user_assigned_identities": [{"resource_id": "/a"}, {"resource_id": "/b"}],
        },
    }


def test_a_compute_is_listed_by_type_and_updated(penstock: Penstock, fake: FakeServer) -> None:
    """Types are compared without regard to case."""
    rows = [{"name": "a", "type": "amlcompute"}, {"name": "b", "type": "local"}]
    fake.on("GET", f"{HERE}/computes", rows)
    fake.on("PATCH", f"{HERE}/computes/a", {"name": "a", "max_instances": 2})

    assert json.loads(penstock("compute list --type AmlCompute").out) == rows[:1]
    assert penstock("compute list --query \"[?name=='b'][name]\" --out tsv").out == "b\n"
    ran = penstock(
        "compute update -n a --max-instances 2 --tags x=y --set description=d --query max_instances"
    )

    assert ran.out == "2\n"
    assert fake.requests[-1].json == {
        "set": {"description": "d", "max_instances": 2, "tags.x": "y"},
        "add": [],
        "remove": [],
    }
    assert penstock("compute update -n a").code == 2
    assert penstock("compute update -n a --set x").code == 2


@pytest.mark.parametrize(
    ("line", "path"),
    [("compute delete -n a", f"{HERE}/computes/a"), ("workspace delete -n a", "/api/v1/workspaces/a")],
)
def test_a_delete_without_a_terminal_needs_yes(
    penstock: Penstock, fake: FakeServer, line: str, path: str
) -> None:
    """It fails at once and waits for nobody."""
    fake.on("DELETE", path, None, 204)

    refused, done = penstock(line), penstock(f"{line} -y")

    assert refused.code == 1
    assert "add --yes" in refused.err
    assert (done.code, done.out) == (0, "")
    assert len(fake.asked("DELETE", path)) == 1


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("what?\nYES\n", 0), ("n\n", 1), ("", 1)])
def test_a_delete_on_a_terminal_asks(
    penstock: Penstock, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    """Until it is told yes or no; the end of input is a no."""
    import io

    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    fake.on("DELETE", f"{HERE}/computes/a", None, 204)

    ran = penstock("compute delete -n a")

    assert ran.code == code
    assert "Delete compute `a`? (y/n)" in ran.err
    assert len(fake.asked("DELETE", f"{HERE}/computes/a")) == (1 if code == 0 else 0)


def test_a_workspace_is_never_deleted_by_default(penstock: Penstock, fake: FakeServer) -> None:
    """The one that commands use has to be named."""
    penstock("configure --defaults workspace=precious")

    assert penstock("workspace delete --yes").code == 2
    assert fake.requests == []


def test_a_workspace_is_created_in_its_group_and_found_by_it(penstock: Penstock, fake: FakeServer) -> None:
    """As setup scripts do: create where the list of the group has none."""
    accept(fake, "/api/v1/workspaces")
    rows = [{"name": "a", "resource_group": "G1"}, {"name": "b", "resource_group": "g2"}]
    fake.on("GET", "/api/v1/workspaces", rows)

    penstock("workspace create -n a -l westeurope -g g1 --tags x=y")

    assert sent(fake, "/api/v1/workspaces") == {
        "name": "a",
        "location": "westeurope",
        "resource_group": "g1",
        "tags": {"x": "y"},
    }
    assert penstock('workspace list -g g1 --query "[].name" -o tsv').out == "a\n"
    assert penstock('workspace list --query "[].name" -o tsv').out == "a\nb\n"


def test_workspace_show_knows_which_one(penstock: Penstock, fake: FakeServer) -> None:
    """--name, -w or the default one."""
    for name in ("default", "a", "b"):
        fake.on(
            "GET", f"/api/v1/workspaces/{name}", {"name": name, "mlflow_tracking_uri": f"http://x/{name}"}
        )

    assert penstock("workspace show --query mlflow_tracking_uri -o tsv").out == "http://x/default\n"
    assert penstock("workspace show -n a --query name -o tsv").out == "a\n"
    assert penstock("workspace show -w b --query name -o tsv").out == "b\n"
    fake.on("GET", "/api/v1/workspaces", [{"name": "default"}])
    assert "did you mean the workspace `default`?" in penstock("workspace show -n defawlt").err


def test_a_component_is_created_and_checked(penstock: Penstock, fake: FakeServer, here: Path) -> None:
    """With the flags of `az ml component create`; a check that fails is exit code 1."""
    (here / "c.yml").write_text("name: c\ncommand: ls\nenvironment: {image: x}\nversion: 1\n")
    accept(fake, f"{HERE}/components")
    error = {"pointer": "/command", "path": "/command", "message": "no", "value": "ls"}
    fake.on("POST", f"{HERE}/components:validate", {"result": "Failed", "errors": [error], "warnings": []})

    made = penstock(
        "component create -f c.yml -n d -v 2 --set command=who --skip-validation --query name -o tsv"
    )
    checked = penstock("component validate -f c.yml --query 'errors[].location' -o tsv")

    assert (made.code, made.out) == (0, "made\n")
    assert sent(fake, f"{HERE}/components") == {
        "name": "d",
        "version": "2",
        "command": "who",
        "environment": {"image": "x"},
    }
    assert (checked.code, checked.out) == (1, "c.yml#line 2\n")
