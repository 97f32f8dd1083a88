"""`penstock check|env|status|du|gc|server`: for people by default, as records on request."""

import json
from pathlib import Path

import pytest

from penstock.settings import Home
from tests.cli.conftest import Penstock
from tests.cli.golden import held_against
from tests.client.fake_server import FakeServer

HERE = "/api/v1/workspaces/default"
COMPUTE = {
    "what": "compute",
    "name": "cpu-cluster",
    "pointer": "/compute",
    "message": "compute `cpu-cluster` was not found in workspace `default`",
    "command": "penstock compute create -n cpu-cluster --type amlcompute",
    "create": {"method": "POST", "path": "computes", "body": {"document": {"name": "cpu-cluster"}}},
}
ENVIRONMENT = {
    "what": "environment",
    "name": "env",
    "pointer": "/environment",
    "message": "environment `env` was not found in workspace `default`",
    "command": "penstock environment create -f <the file that defines `env`>",
    "create": None,
}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yml").write_text(
        "command: x\ncompute: azureml:cpu-cluster\nenvironment: azureml:env:1\n"
    )
    return "job.yml"


def checked(fake: FakeServer, *missing: object, problems: tuple[object, ...] = ()) -> None:
    fake.on("POST", f"{HERE}/documents:check", {"missing": list(missing), "problems": list(problems)})


def test_check_lists_what_is_missing_with_its_command(penstock: Penstock, fake: FakeServer, job: str) -> None:
    """Exit code 1; as JSON on request."""
    checked(
        fake, COMPUTE, ENVIRONMENT, problems=({"pointer": "/command", "message": "odd", "path": "/command"},)
    )

    ran, record = penstock(f"check {job}"), penstock(f"check -f {job} -o json")

    assert ran.code == record.code == 1
    held_against("check-missing.txt", ran.out)
    found = json.loads(record.out)
    assert [entry["name"] for entry in found["missing"]] == ["cpu-cluster", "env"]
    assert found["missing"][0]["line"] == 2
    assert found["problems"][0]["line"] == 1


def test_check_tells_a_place_once(penstock: Penstock, fake: FakeServer, job: str) -> None:
    """A component's file that two steps name lacks its environment in one line."""
    checked(fake, ENVIRONMENT, ENVIRONMENT)

    ran = penstock(f"check {job}")

    assert ran.out.count("environment `env` was not found") == 1


def test_check_creates_what_can_be_created(penstock: Penstock, fake: FakeServer, job: str) -> None:
    """And looks again: exit code 0 when nothing is missing any more."""

    def answer(request: object) -> tuple[int, object]:
        there = bool(fake.asked("POST", f"{HERE}/computes"))
        return 200, {"missing": [] if there else [dict(COMPUTE)], "problems": []}

    fake.answers["POST", f"{HERE}/documents:check"] = answer  # type: ignore[assignment]
    fake.on("POST", f"{HERE}/computes", {"record": {}, "warnings": []}, 201)

    ran = penstock(f"check {job} --create-missing")

    assert ran.code == 0
    assert "created compute `cpu-cluster`" in ran.out
    assert "job.yml has all that it needs" in ran.out
    assert fake.asked("POST", f"{HERE}/computes")[0].json == {"document": {"name": "cpu-cluster"}}


def test_check_says_what_it_could_not_create(penstock: Penstock, fake: FakeServer, job: str) -> None:
    """Exit code 1 stays."""
    checked(fake, ENVIRONMENT)

    ran = penstock(f"check {job} --create-missing")

    assert ran.code == 1
    assert "penstock environment create" in ran.out


def test_check_without_problems(penstock: Penstock, fake: FakeServer, job: str) -> None:
    """One line, exit code 0; without a file it is a usage error."""
    checked(fake)

    assert penstock(f"check {job}").out == "job.yml has all that it needs\n"
    assert penstock("check").code == 2


def test_env_prints_lines_for_a_shell(penstock: Penstock, fake: FakeServer) -> None:
    """Quoted, so that `eval` is safe."""
    environment = {"MLFLOW_TRACKING_URI": "http://x/", "MLFLOW_TRACKING_TOKEN": "a'b $(c)"}
    fake.on("POST", f"{HERE}/tokens", {"token": "t", "environment": environment}, 201)

    ran = penstock("env --hours 1.5")

    assert ran.out == "export MLFLOW_TRACKING_TOKEN='a'\"'\"'b $(c)'\nexport MLFLOW_TRACKING_URI=http://x/\n"
    assert json.loads(penstock("env -o json").out) == environment
    assert fake.requests[0].json == {"lifetime_seconds": 5400.0}
    for wrong in ("0", "-1", "nan", "x", "1e9"):
        assert penstock(f"env --hours {wrong}").code == 2


def test_status_of_nothing_starts_nothing(penstock: Penstock, home: Home) -> None:
    """And says so."""
    ran = penstock("status")

    assert ran.code == 0
    assert "not running" in ran.out
    assert json.loads(penstock("server status -o json").out)["running"] is False
    assert penstock("server status --query running -o tsv").out == "false\n"
    assert not home.path.exists()


def test_status_of_a_server(penstock: Penstock, fake: FakeServer) -> None:
    """Jobs, MLflow, and the workspace that commands use."""
    fake.on(
        "GET",
        "/api/v1/status",
        {"pid": 7, "version": "1", "jobs": {"running": 2, "queued": 1}, "mlflow": {"state": "ready"}},
    )

    out = penstock("status -w demo").out

    assert "2 running, 1 queued" in out
    assert "ready" in out
    assert "demo" in out
    assert penstock("status --query jobs.running -o tsv").out == "2\n"


def test_du_names_sizes_and_the_way_to_remove_all(penstock: Penstock, fake: FakeServer, home: Home) -> None:
    """With this home's path in it."""
    entries = [{"what": "environments", "path": "/h/environments", "bytes": 3_500_000}]
    fake.on("GET", "/api/v1/usage", {"entries": entries, "total": 3_500_100})

    out = penstock("du").out

    assert "3.3 MiB  environments" in out
    assert f"penstock server stop && rm -rf {home.path} && pip uninstall penstock" in out
    assert penstock("du --query total -o tsv").out == "3500100\n"


def test_du_names_a_home_with_blanks_so_that_a_shell_takes_it_whole(
    penstock: Penstock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is copied as it stands, and it begins with `rm -rf`."""
    place = tmp_path / "my home"
    monkeypatch.setenv("PENSTOCK_HOME", str(place))
    fake = FakeServer(Home(place).socket)
    fake.on("GET", "/api/v1/usage", {"entries": [{"what": "x", "path": "/x", "bytes": 1}], "total": 1})

    out = penstock("du").out
    fake.stop()

    assert f"rm -rf '{place}' && pip uninstall penstock" in out


def test_gc_says_what_went(penstock: Penstock, fake: FakeServer) -> None:
    """A week, unless it is told another age."""
    fake.on(
        "POST", "/api/v1/gc", {"removed": [{"what": "environment", "name": "abc", "bytes": 10}], "bytes": 10}
    )

    assert "would remove 1 things, 10 B" in penstock("gc --dry-run").out
    assert "removed 1 things, 10 B" in penstock("gc --older-than-days 0").out
    assert [request.json for request in fake.requests] == [
        {"dry_run": True, "older_than_days": 7.0},
        {"dry_run": False, "older_than_days": 0.0},
    ]
    assert penstock("gc --older-than-days -1").code == 2


def test_server_commands_are_for_this_machine(penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PENSTOCK_SERVER they say whose they would be."""
    monkeypatch.setenv("PENSTOCK_SERVER", "https://penstock.example")

    for command in ("start", "stop", "logs"):
        ran = penstock(f"server {command}")
        assert ran.code == 1
        assert "unset PENSTOCK_SERVER" in ran.err


def test_stopping_nothing_is_no_error(penstock: Penstock) -> None:
    """It says that there was nothing."""
    ran = penstock("server stop")

    assert (ran.code, ran.out) == (0, "")
    assert "no server was running" in ran.err


def test_server_logs_prints_the_end_of_the_log(penstock: Penstock, home: Home) -> None:
    """Where there is one."""
    assert penstock("server logs").code == 1
    home.path.mkdir(parents=True)
    home.server_log.write_text("one\ntwo\nthree\n")

    assert penstock("server logs --lines 2").out == "two\nthree\n"
