"""Data from addresses, through the API: mapped, downloaded, handed over, or refused with the remedy."""

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.jobs.places import JobFolders
from penstock.jobs.plans import AtAddress, StepPlan
from penstock.jobs.preparing import input_texts
from penstock.testing.records import a_job as a_record
from tests.server.conftest import Api

PUBLIC = "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv"


def a_job(**inputs: Any) -> dict[str, Any]:
    return {"command": "true", "environment": {"image": "python:3.11"}, "inputs": inputs, "name": "j"}


def texts(api: Api, name: str = "j") -> dict[str, str]:
    """What the job's command gets for its inputs."""
    with api.platform.database.reading() as tx:
        plan = StepPlan.from_record(tx.jobs.get("default", name).spec["plan"])
    locator = api.platform.runner.locator("default", plan.settings)
    return input_texts(plan, JobFolders(api.platform.home, "default", name), locator)


def set_map(api: Api, file: Path, text: str) -> None:
    file.write_text(text)
    change = {"set": {"settings.url_map": str(file)}}
    answer = api.http.patch("/api/v1/workspaces/default", json=change)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "datasets" / "cifar").mkdir(parents=True)
    (tmp_path / "datasets" / "iris.csv").write_text("a\n1\n")
    return tmp_path / "datasets"


def test_mapped_addresses_become_local_paths_in_every_way_to_name_them(api: Api, data: Path) -> None:
    """Inputs, data assets, another way to write the address, a datastore of that account; and mode direct."""
    set_map(
        api, data.parent / "urls.yml", "wasbs://datasets@azuremlexamples.blob.core.windows.net/: datasets/\n"
    )
    api.create("data", name="iris", type="uri_file", path=PUBLIC)
    store = {
        "name": "examples",
        "type": "azure_blob",
        "account_name": "azuremlexamples",
        "container_name": "datasets",
    }
    warned = api.post("workspaces/default/datastores", document=store)["warnings"]

    document = a_job(
        file={"type": "uri_file", "path": PUBLIC},
        asset={"type": "uri_file", "path": "azureml:iris@latest"},
        folder={
            "type": "uri_folder",
            "path": "wasbs://datasets@azuremlexamples.blob.core.windows.net/cifar/",
        },
        direct={"type": "uri_file", "path": PUBLIC, "mode": "direct"},
        store={"type": "uri_file", "path": "azureml://datastores/examples/paths/iris.csv"},
    )
    api.create("jobs", **document)

    assert texts(api) == {
        "file": str(data / "iris.csv"),
        "asset": str(data / "iris.csv"),
        "folder": str(data / "cifar"),
        "direct": str(data / "iris.csv"),
        "store": str(data / "iris.csv"),
    }
    assert f"is {data} here" in warned[0]["message"]
    assert api.get("workspaces/default/datastores/examples")["folder"] == str(data)


def test_the_variable_of_the_command_counts_before_the_workspaces_setting(
    api: Api, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept with the job: what the step gets does not depend on who started the server."""
    (data.parent / "other.csv").write_text("other")
    set_map(api, data.parent / "urls.yml", f"{PUBLIC}: datasets/iris.csv\n")
    (data.parent / "mine.yml").write_text(f"{PUBLIC}: other.csv\n")
    monkeypatch.setenv("PENSTOCK_URL_MAP", str(data.parent / "mine.yml"))

    api.create("jobs", **a_job(x={"type": "uri_file", "path": PUBLIC}))
    monkeypatch.delenv("PENSTOCK_URL_MAP")
    api.create("jobs", **{**a_job(x={"type": "uri_file", "path": PUBLIC}), "name": "k"})

    assert texts(api) == {"x": str(data.parent / "other.csv")}
    assert texts(api, "k") == {"x": str(data / "iris.csv")}


def test_a_change_of_the_map_counts_at_once(api: Api, data: Path) -> None:
    """Without a restart: the file is read when an address is met."""
    set_map(api, data.parent / "urls.yml", f"{PUBLIC}: nowhere.csv\n")
    document = a_job(x={"type": "uri_file", "path": PUBLIC})

    _, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})
    (data.parent / "urls.yml").write_text(f"{PUBLIC}: datasets/iris.csv\n")
    api.create("jobs", **document)

    assert "nothing is there" in error["problems"][0]["message"]
    assert f"{data.parent / 'urls.yml'}:1" in error["problems"][0]["message"]
    assert texts(api) == {"x": str(data / "iris.csv")}


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [
        ({"path": "https://example.com/folder/"}, "cannot be fetched as a uri_folder", "type: uri_file"),
        (
            {"type": "uri_file", "path": "adl://lake.azuredatalakestore.net/x"},
            "cannot be downloaded",
            "url_map",
        ),
        ({"type": "uri_file", "path": "http://169.254.169.254/x"}, "secrets", None),
        ({"type": "uri_folder", "path": PUBLIC, "mode": "rw_mount"}, "cannot be fetched", "url_map"),
        ({"type": "uri_file", "path": PUBLIC, "mode": "rw_mount"}, "must not change", "mode: download"),
    ],
)
def test_what_cannot_be_had_is_refused_when_the_job_is_created(
    api: Api, value: dict[str, str], said: str, hint: str | None
) -> None:
    """At the input, with the remedy."""
    status, error = api.refused("POST", "workspaces/default/jobs", json={"document": a_job(x=value)})

    problem = error["problems"][0]
    assert (status, problem["pointer"]) == (422, "/inputs/x")
    assert said in problem["message"]
    assert hint is None or hint in problem["hint"]


def test_a_map_with_a_mistake_is_refused_where_it_is_set(api: Api, tmp_path: Path) -> None:
    """With its line; the workspace keeps what it had."""
    (tmp_path / "urls.yml").write_text("https://a.b/: x\nnonsense: y\n")

    _, error = api.refused(
        "PATCH", "workspaces/default", json={"set": {"settings.url_map": str(tmp_path / "urls.yml")}}
    )

    assert error["details"] == [f"{tmp_path / 'urls.yml'}:2"]
    assert api.get("workspaces/default")["settings"] == {}


@pytest.fixture
def site(data: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(data))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_an_unmapped_file_is_downloaded_and_counted_and_collected(api: Api, site: str) -> None:
    """Edge case 4.1: the step gets the path of the file, which is called as it is at its address, not its folder."""
    api.create("jobs", **a_job(x={"type": "uri_file", "path": f"{site}/iris.csv"}))
    path = Path(texts(api)["x"])

    assert (path.name, path.read_text()) == ("iris.csv", "a\n1\n")
    usage = {each["what"]: each["bytes"] for each in api.get("usage")["entries"]}
    assert usage["downloads (data from addresses)"] > 0
    api.post("workspaces/default/jobs/j/cancel")


def test_a_download_is_collected_once_no_open_job_can_need_it(api: Api, site: str) -> None:
    """Whatever its age: a job that was created before its last use may be using it."""
    path = api.platform.runner.locator("default").path_of(AtAddress(f"{site}/iris.csv"))
    with api.platform.database.transaction() as tx:
        tx.jobs.insert(a_record("open", workspace="default", status="Running", spec={"plan": {"needs": []}}))

    kept = api.post("gc", older_than_days=0)["removed"]
    with api.platform.database.transaction() as tx:
        tx.jobs.update("default", "open", status="Completed", ended_at=2.0)
    removed = api.post("gc", older_than_days=0)["removed"]

    assert "download" not in {each["what"] for each in kept}
    assert [each["name"] for each in removed if each["what"] == "download"] == [f"{site}/iris.csv"]
    assert not path.exists()


def test_direct_hands_an_unmapped_address_over(api: Api) -> None:
    """Nothing is fetched, so a folder may be named too."""
    api.create("jobs", **a_job(x={"type": "uri_folder", "path": "https://example.com/x/", "mode": "direct"}))

    assert texts(api) == {"x": "https://example.com/x/"}
