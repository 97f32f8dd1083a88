"""Documents and the local files that they name."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.client.client import Client
from penstock.errors import InvalidDocument, PenstockError, Problem, StorageFull, UploadsMissing
from penstock.resources.reading import document_from_flags, read_document
from tests.client.fake_server import FakeServer, Request

JOBS = "/api/v1/workspaces/demo/jobs"
BLOBS = "/api/v1/blobs"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text("print('hi')\n")
    (folder / "src" / "empty.py").write_text("")
    (folder / "job.yml").write_text(
        "command: python train.py\ncode: ./src\nenvironment:\n  image: python\n  conda_file: {dependencies: [pip]}\n"
    )
    return folder / "job.yml"


def test_credentials_of_a_datastore_stay_where_they_are(
    client: Client, fake: FakeServer, tmp_path: Path
) -> None:
    """Edge case 15.5: the server hears that there are some, so that it can say what becomes of them, and not which."""
    path = "/api/v1/workspaces/demo/datastores"
    fake.on("POST", path, {"record": {"name": "lake"}, "warnings": []}, 201)
    fake.on("PATCH", f"{path}/lake", {"name": "lake"})
    (tmp_path / "blob.yml").write_text(
        "name: lake\ntype: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {account_key: hunter2}\n"
    )

    client.datastores.create(read_document(tmp_path / "blob.yml", "datastore"))
    client.datastores.update(
        "lake",
        {
            "set": {"credentials.account_key": "hunter2", 'credentials."sas"': "hunter2", "tags.a": "b"},
            "add": [{"path": "credentials", "value": {"account_key": "hunter2"}}],
        },
    )

    [created], [changed] = fake.asked("POST", path), fake.asked("PATCH", f"{path}/lake")
    assert created.json["document"]["credentials"] == "not sent"
    assert created.json["document"]["account_name"] == "a"
    assert changed.json["set"]["tags.a"] == "b"
    assert "hunter2" not in str(created.json) + str(changed.json)


class Store:
    """The server's side: what it has, and what a document must bring."""

    def __init__(self, fake: FakeServer) -> None:
        self.blobs: dict[str, bytes] = {}
        fake.answers["POST", JOBS] = self.create
        fake.answers["POST", f"{BLOBS}:missing"] = lambda request: (
            200,
            {"missing": [digest for digest in request.json["digests"] if digest not in self.blobs]},
        )
        self._fake = fake

    def create(self, request: Request) -> tuple[int, Any]:
        digest = request.json["document"]["code"].split("/")[2]
        missing = [digest] if digest not in self.blobs else []
        if not missing:
            files = json.loads(self.blobs[digest])["files"]
            missing = [entry[1] for entry in files if entry[1] not in self.blobs]
        for wanted in missing:
            self.expect(wanted)
        if missing:
            return 428, UploadsMissing(missing).as_record()
        return 201, {
            "record": {"name": "happy_frog"},
            "warnings": [{"pointer": "/code", "message": "careful"}],
        }

    def expect(self, digest: str) -> None:
        def keep(request: Request) -> tuple[int, Any]:
            assert hashlib.sha256(request.body).hexdigest() == digest
            self.blobs[digest] = request.body
            return 201, {"digest": digest}

        self._fake.answers["PUT", f"{BLOBS}/{digest}"] = keep


def test_a_folder_is_sent_once(fake: FakeServer, client: Client, job: Path) -> None:
    """What the server has is not sent again; the document names the folder by its content."""
    store = Store(fake)
    for content in (b"print('hi')\n", b""):
        store.expect(hashlib.sha256(content).hexdigest())

    first = client.jobs.create(read_document(job, "job"), default_experiment="x")
    puts = [request for request in fake.requests if request.method == "PUT"]
    client.jobs.create(read_document(job, "job"), default_experiment="x")

    assert first.record == {"name": "happy_frog"}
    assert len(puts) == 3
    assert len([request for request in fake.requests if request.method == "PUT"]) == 3
    sent = fake.asked("POST", JOBS)[-1].json
    assert sent["document"]["code"].startswith("snapshot://")
    assert sent["document"]["code"].endswith("/src/")
    assert sent["default_experiment"] == "x"


def test_a_warning_has_its_place(fake: FakeServer, client: Client, job: Path) -> None:
    """The server knows the pointer, this side the line."""
    store = Store(fake)
    for content in (b"print('hi')\n", b""):
        store.expect(hashlib.sha256(content).hexdigest())

    (warning,) = client.jobs.create(read_document(job, "job"), default_experiment="x").warnings

    assert (warning.message, warning.file, warning.line) == ("careful", str(job), 2)


def test_a_refused_document_tells_file_and_line(fake: FakeServer, client: Client, job: Path) -> None:
    """All problems of the server, each with its place."""
    error = InvalidDocument([Problem("/environment/image", "bad"), Problem("/command", "worse")])
    fake.on("POST", JOBS, error.as_record(), 422)

    with pytest.raises(InvalidDocument) as caught:
        client.jobs.create(read_document(job, "job"), default_experiment="x")

    assert caught.value.message == "2 problems in job.yml"
    assert sorted(problem.line or 0 for problem in caught.value.problems) == [1, 4]


def test_problems_of_both_sides_are_told_at_once(fake: FakeServer, client: Client, job: Path) -> None:
    """A folder that is missing here and a field that is wrong there; nothing is created."""
    job.write_text(job.read_text().replace("./src", "./srv"))
    fake.on(
        "POST",
        f"{JOBS}:validate",
        {"result": "Failed", "errors": [{"pointer": "/command", "message": "bad", "path": "/command"}]},
    )

    with pytest.raises(InvalidDocument) as caught:
        client.jobs.create(read_document(job, "job"), default_experiment="x")

    assert [problem.pointer for problem in caught.value.problems] == ["/code", "/command"]
    assert fake.asked("POST", JOBS) == []


def test_validation_uploads_nothing_and_names_places(fake: FakeServer, client: Client, job: Path) -> None:
    """The shape is that of `az ml job validate`."""
    finding = {
        "pointer": "/environment/image",
        "path": "/environment/image",
        "message": "bad",
        "value": "python",
    }
    fake.on("POST", f"{JOBS}:validate", {"result": "Failed", "errors": [finding], "warnings": []})

    result = client.jobs.validate(read_document(job, "job"))

    assert result["result"] == "Failed"
    assert result["errors"][0] == {
        "message": "bad",
        "path": "environment.image",
        "location": f"{job}#line 4",
        "value": "python",
        "expected": None,
        "hint": None,
    }
    assert [request.method for request in fake.requests] == ["POST"]


def test_a_full_disk_of_the_server_is_said(fake: FakeServer, client: Client, job: Path) -> None:
    """The upload's error is the command's."""
    Store(fake)
    digest = hashlib.sha256(b"print('hi')\n").hexdigest()
    for content in (b"print('hi')\n", b""):
        digest = hashlib.sha256(content).hexdigest()
        fake.on("PUT", f"{BLOBS}/{digest}", StorageFull("no space left").as_record(), 507)

    with pytest.raises(StorageFull):
        client.jobs.create(read_document(job, "job"), default_experiment="x")


def test_a_file_that_cannot_be_read_is_a_problem_of_its_field(
    fake: FakeServer, client: Client, tmp_path: Path
) -> None:
    """Found while the snapshot is taken: a pipe is no file."""
    os.mkfifo(tmp_path / "pipe")
    document = document_from_flags("model", {"name": "m", "path": "pipe"}, base=tmp_path)

    with pytest.raises(InvalidDocument) as caught:
        client.models.create(document)

    assert caught.value.problems[0].pointer == "/path"
    assert fake.requests == []


def test_a_server_that_asks_for_the_unknown_is_told_off(fake: FakeServer, client: Client, job: Path) -> None:
    """Files that the document does not name are never sent."""
    fake.on("POST", JOBS, UploadsMissing(["f" * 64]).as_record(), 428)

    with pytest.raises(PenstockError, match="does not have"):
        client.jobs.create(read_document(job, "job"), default_experiment="x")


def test_check_merges_what_both_sides_find(fake: FakeServer, client: Client, job: Path) -> None:
    """Missing things as they come, problems with their places."""
    job.write_text(job.read_text().replace("./src", "./srv"))
    fake.on(
        "POST",
        "/api/v1/workspaces/demo/documents:check",
        {
            "missing": [{"what": "compute"}],
            "problems": [{"pointer": "/code", "message": "no", "value": 1, "path": ""}],
        },
    )

    found = client.server.check(read_document(job, "job"))

    assert found["missing"] == [{"what": "compute"}]
    assert [problem.line for problem in found["problems"]] == [2]


def test_creating_what_is_missing_stays_in_the_workspace(fake: FakeServer, client: Client) -> None:
    """The proposal's path is below the workspace's."""
    fake.on("POST", "/api/v1/workspaces/demo/computes", {"record": {"name": "cpu"}}, 201)

    client.server.create_missing(
        {"method": "POST", "path": "computes", "body": {"document": {"name": "cpu"}}}
    )

    assert fake.requests[-1].json == {"document": {"name": "cpu"}}


PORTS_UNKNOWN = (
    "type: pipeline\njobs:\n  a:\n    component: azureml:count@latest\n    inputs: {rides: %s, word: src}\n"
)


def _knows_the_ports(request: Request) -> tuple[int, Any]:
    """A server whose component takes data as `rides`, and a text as `word`."""
    rides = request.json["document"]["jobs"]["a"]["inputs"]["rides"]
    if rides.startswith("snapshot://"):
        return 201, {"record": {"name": "happy_frog"}, "warnings": []}
    problem = {"pointer": "/jobs/a/inputs/rides", "message": "was not uploaded", "code": "not_uploaded"}
    return 400, InvalidDocument([Problem(**problem)]).as_record()


def test_a_text_that_the_server_takes_for_data_is_uploaded(
    fake: FakeServer, client: Client, job: Path
) -> None:
    """A registered component's ports are the server's to know; other texts stay texts, though a folder is called so."""
    job.write_text(PORTS_UNKNOWN % "./src/train.py")
    fake.answers["POST", JOBS] = _knows_the_ports

    made = client.jobs.create(read_document(job, "job"), default_experiment="e")

    first, second = (each.json["document"]["jobs"]["a"]["inputs"] for each in fake.requests)
    assert made.record["name"] == "happy_frog"
    assert first == {"rides": "./src/train.py", "word": "src"}
    assert (second["rides"].split("/")[-1], second["word"]) == ("train.py", "src")


def test_a_text_that_stands_for_data_and_leads_nowhere_is_told_at_its_line(
    fake: FakeServer, client: Client, job: Path
) -> None:
    """As where the path had been said to be one."""
    job.write_text(PORTS_UNKNOWN % "./src/tain.py")
    fake.answers["POST", JOBS] = _knows_the_ports
    fake.answers["POST", f"{JOBS}:validate"] = lambda request: (200, {"errors": []})

    with pytest.raises(InvalidDocument) as refused:
        client.jobs.create(read_document(job, "job"), default_experiment="e")

    (problem,) = refused.value.problems
    assert (problem.line, problem.pointer) == (5, "/jobs/a/inputs/rides")
    assert "`./src/tain.py` does not exist" in problem.message
    assert problem.hint == "did you mean `train.py`?"
