"""`penstock job`: what is sent, what is printed, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.job import experiment_of
from penstock.cli.job_plan import lines_of
from tests.cli.conftest import Penstock
from tests.cli.golden import held_against
from tests.client.fake_server import FakeServer, Request, lines

JOBS = "/api/v1/workspaces/default/jobs"
RECORD = {
    "name": "happy_frog",
    "type": "command",
    "status": "NotStarted",
    "services": {"Studio": {"endpoint": "http://127.0.0.1:9/mlflow/default/#/experiments", "type": "Studio"}},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my project.v2"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "job.yml").write_text(
        "type: command\ncommand: echo hi\nenvironment: azureml:env:1\ninputs:\n  rate: 1\n"
    )
    return folder


@pytest.fixture
def accepting(fake: FakeServer, project: Path) -> FakeServer:
    """A server that takes every job."""
    fake.on("POST", JOBS, {"record": RECORD, "warnings": []}, 201)
    fake.on("GET", f"{JOBS}/happy_frog", {**RECORD, "status": "Completed"})
    return fake


def streaming(fake: FakeServer, *events: dict[str, Any]) -> None:
    fake.answers["GET", f"{JOBS}/happy_frog/stream"] = lambda request: (200, lines(*events))


def sent(fake: FakeServer) -> dict[str, Any]:
    found: dict[str, Any] = fake.asked("POST", JOBS)[-1].json
    return found


def test_create_prints_one_line_for_a_script(penstock: Penstock, accepting: FakeServer) -> None:
    """Edge case 17.1. `run_id=$(penstock job create ... --query name -o tsv)`."""
    ran = penstock("job create -f job.yml --query name -o tsv")

    assert (ran.code, ran.out, ran.err) == (0, "happy_frog\n", "")
    assert sent(accepting)["default_experiment"] == "myproject"


def test_set_and_flags_count_before_the_file(penstock: Penstock, accepting: FakeServer) -> None:
    """--set first, flags last; texts stay texts."""
    penstock(
        "job create --file job.yml --set inputs.rate=0.5 name=a --set tags.x=y -n b --description d --tags 'p=q r=s'"
    )

    document = sent(accepting)["document"]
    assert document["inputs"]["rate"] == "0.5"
    assert (document["name"], document["description"], document["tags"]) == ("b", "d", {"p": "q", "r": "s"})


def test_services_are_those_of_one_node(penstock: Penstock, accepting: FakeServer) -> None:
    """The first one where none is named."""
    services = {"ui": {"type": "custom", "port": 8080, "endpoint": "http://127.0.0.1:8080"}}
    accepting.on("GET", f"{JOBS}/happy_frog/services", services)

    ran = penstock("job show-services -n happy_frog --query ui.endpoint -o tsv")
    penstock("job show-services --name happy_frog -i 1")

    assert (ran.code, ran.out) == (0, "http://127.0.0.1:8080\n")
    asked = accepting.asked("GET", f"{JOBS}/happy_frog/services")
    assert [request.query["node_index"] for request in asked] == [["0"], ["1"]]


@pytest.mark.parametrize(
    ("folder", "experiment"),
    [("taxi", "taxi"), ("my project.v2", "myproject"), (" ", "Default"), (".hidden", ".hidden")],
)
def test_the_experiment_is_named_after_the_folder(tmp_path: Path, folder: str, experiment: str) -> None:
    """Its stem, without blanks."""
    assert experiment_of(tmp_path / folder) == experiment


def test_stream_shows_the_job_on_stderr_and_then_prints_it(penstock: Penstock, accepting: FakeServer) -> None:
    """Edge case 16.1. Stdout holds the object as it is at the end, and nothing else."""
    streaming(
        accepting,
        {"kind": "log", "text": "hello\n", "step": None},
        {"kind": "end", "status": "Completed", "error": None},
    )

    ran = penstock("job create -f job.yml --stream")

    assert ran.code == 0
    assert json.loads(ran.out)["status"] == "Completed"
    assert "hello\n" in ran.err
    assert "Execution Summary" in ran.err


FAILED = {
    "kind": "end",
    "status": "Failed",
    "error": {
        "code": "UserError",
        "message": "`python train.py` ended with exit code 1",
        "details": ["Traceback (most recent call last):", "ValueError: no rows"],
        "hint": None,
    },
}


@pytest.mark.parametrize("line", ["job create -f job.yml --stream", "job stream -n happy_frog"])
def test_a_failed_job_fails_the_command(penstock: Penstock, accepting: FakeServer, line: str) -> None:
    """Edge cases 5.8 and 17.3. Exit code 1 with the job's error; the object is not printed."""
    streaming(accepting, FAILED)

    ran = penstock(line)

    assert ran.code == 1
    assert '"name"' not in ran.out
    held_against("error-failed-job.txt", ran.err[ran.err.index("error:") :])


@pytest.mark.parametrize("line", ["job create -f job.yml -s", "job stream -n happy_frog"])
def test_a_canceled_job_is_no_failure(penstock: Penstock, accepting: FakeServer, line: str) -> None:
    """It ends normally, with the summary."""
    streaming(accepting, {"kind": "end", "status": "Canceled", "error": None})

    assert penstock(line).code == 0


@pytest.mark.parametrize("line", ["job create -f job.yml -s", "job stream -n happy_frog"])
def test_a_job_that_took_too_long_says_so(penstock: Penstock, accepting: FakeServer, line: str) -> None:
    """Exit code 0, as Azure ML has it; but nobody asked for the end, so its reason is said."""
    error = {
        "code": "Timeout",
        "message": "job `x` was ended after its limit of 2 s",
        "hint": "raise limits.timeout",
    }
    streaming(accepting, {"kind": "end", "status": "Canceled", "error": error})

    ran = penstock(line)

    assert ran.code == 0
    assert "warning: job `x` was ended after its limit of 2 s\nhint: raise limits.timeout\n" in ran.err


def test_stream_is_the_result_of_job_stream(penstock: Penstock, accepting: FakeServer) -> None:
    """On stdout, as text."""
    streaming(
        accepting, {"kind": "log", "text": "hello\n", "step": None}, {"kind": "end", "status": "Completed"}
    )

    ran = penstock("job stream -n happy_frog")

    assert ran.out.startswith("RunId: happy_frog\nWeb View: http://127.0.0.1:9/")
    assert "hello\n" in ran.out
    assert ran.err == ""


def test_ctrl_c_leaves_the_job_running_and_says_so(accepting: FakeServer, project: Path) -> None:
    """Exit code 1; both ways to go on are named."""
    streaming_now, over = threading.Event(), threading.Event()

    def wait() -> Iterator[bytes]:
        yield b'{"kind":"log","text":"working\\n","step":null,"cursor":"1"}\n'
        streaming_now.set()
        over.wait(30)

    accepting.answers["GET", f"{JOBS}/happy_frog/stream"] = lambda request: (200, wait())
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", "job", "create", "-f", "job.yml", "--stream"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert streaming_now.wait(30)
    assert process.stderr is not None
    heard = ""
    while "working" not in heard:
        heard += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    over.set()

    assert (process.returncode, out) == (1, "")
    assert "job `happy_frog` goes on" in err
    assert "penstock job cancel -n happy_frog" in err
    assert "Traceback" not in err


def test_warnings_of_the_server_have_their_place(penstock: Penstock, accepting: FakeServer) -> None:
    """On stderr, beside the object."""
    warning = {"pointer": "/inputs/rate", "message": "is never read", "code": "invalid"}
    near = {"pointer": "/inputs/rate", "message": "is ignored", "hint": "did you mean `rat`?"}
    accepting.on("POST", JOBS, {"record": RECORD, "warnings": [warning, near]}, 201)

    ran = penstock("job create -f job.yml --query name -o tsv")

    assert ran.out == "happy_frog\n"
    assert ran.err == (
        "warning: job.yml:5  inputs.rate: is never read\n"
        "warning: job.yml:5  inputs.rate: is ignored; did you mean `rat`?\n"
    )


def test_all_problems_are_shown_with_their_lines(penstock: Penstock, fake: FakeServer, project: Path) -> None:
    """In the order of the file."""
    problems = [
        {
            "pointer": "/inputs/rate",
            "message": "`1` is odd",
            "expected": "an even number",
            "hint": None,
            "code": "invalid",
        },
        {
            "pointer": "/command",
            "message": "says nothing",
            "expected": None,
            "hint": "say something",
            "code": "invalid",
        },
    ]
    fake.on("POST", JOBS, {"code": "ValidationError", "message": "2 problems", "problems": problems}, 422)

    ran = penstock("job create -f job.yml")

    assert (ran.code, ran.out) == (1, "")
    held_against("error-problems.txt", ran.err)


def test_problems_of_both_sides_in_one_go(penstock: Penstock, fake: FakeServer, project: Path) -> None:
    """A missing folder here, a wrong field there, and one in `--set`."""
    (project / "job.yml").write_text("command: x\ncode: ./srcs\nenvironment: azureml:e:1\ncomputr: local\n")
    (project / "src").mkdir()
    errors = [
        {
            "pointer": "/computr",
            "path": "/computr",
            "message": "unknown field `computr`",
            "hint": "did you mean `compute`?",
        },
        {
            "pointer": "/limits/timeout",
            "path": "/limits/timeout",
            "message": "`soon` is not a number",
            "expected": "seconds",
        },
    ]
    fake.on("POST", f"{JOBS}:validate", {"result": "Failed", "errors": errors})

    ran = penstock("job create -f job.yml --set limits.timeout=soon")

    assert ran.code == 1
    assert fake.asked("POST", JOBS) == []
    held_against("error-problems-of-both-sides.txt", ran.err.replace(str(project), "PROJECT"))


@pytest.mark.parametrize(
    ("name", "line", "code"),
    [
        ("no-file", "job create -f jobs.yml", 1),
        ("folder", "job create -f .", 1),
        ("no-yaml", "job create -f broken.yml", 1),
        ("other-kind", "job create -f env.yml", 1),
        ("bad-set", "job create -f job.yml --set rate", 2),
        ("required", "job create", 2),
        ("mistyped-flag", "job create --fiel job.yml", 2),
        ("mistyped-command", "job creat -f job.yml", 2),
        ("mistyped-noun", "jop create -f job.yml", 2),
        ("not-yet", "online-endpoint create -n x", 1),
        ("stream-or-not", "job create -f job.yml --stream --no-wait", 2),
    ],
)
def test_typical_mistakes_are_golden(
    penstock: Penstock, fake: FakeServer, project: Path, name: str, line: str, code: int
) -> None:
    """What, where, and the next step."""
    (project / "broken.yml").write_text("command: [\n")
    (project / "env.yml").write_text("image: python\n")

    ran = penstock(line)

    assert ran.out == ""
    held_against(f"error-{name}.txt", ran.err.replace(str(project), "PROJECT"))
    assert ran.code == code


def test_save_as_writes_the_created_job(penstock: Penstock, accepting: FakeServer, project: Path) -> None:
    """As YAML; where it cannot be written the command says that the job exists."""
    penstock("job create -f job.yml --save-as out.yml")
    failing = penstock("job create -f job.yml -a nowhere/out.yml")

    assert "name: happy_frog\n" in (project / "out.yml").read_text()
    assert failing.code == 1
    assert "the job was created" in failing.err


def test_web_opens_a_one_time_link(
    penstock: Penstock, accepting: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of the job, through a link that needs no login; the object is printed as well."""
    accepting.on("POST", "/api/v1/links", {"url": "http://127.0.0.1:9/link/abc"}, 201)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: bool(opened.append(url)) or True)
    monkeypatch.setenv("DISPLAY", ":0")

    ran = penstock("job show -n happy_frog --web --query name -o tsv")

    assert ran.out == "happy_frog\n"
    assert ran.err == "http://127.0.0.1:9/link/abc\n"
    assert opened == ["http://127.0.0.1:9/link/abc"]
    body = accepting.asked("POST", "/api/v1/links")[0].json
    assert body == {"workspace": "default", "target": "/mlflow/default/#/experiments"}


def test_validate_prints_the_result_and_fails_where_it_failed(
    penstock: Penstock, fake: FakeServer, project: Path
) -> None:
    """Edge cases 6.8 and 16.3: exit code 1, and on stdout `errors` with message, path, value and location."""
    finding = {"pointer": "/command", "path": "/command", "message": "bad", "value": "echo hi"}
    fake.on("POST", f"{JOBS}:validate", {"result": "Failed", "errors": [finding], "warnings": []})
    failed = penstock("job validate -f job.yml")
    fake.on("POST", f"{JOBS}:validate", {"result": "Succeeded", "warnings": []})
    succeeded = penstock("job validate -f job.yml --query result -o tsv")

    assert failed.code == 1
    assert json.loads(failed.out)["errors"][0]["location"] == "job.yml#line 2"
    assert (succeeded.code, succeeded.out) == (0, "Succeeded\n")


STEP = {
    "step": "outer/train",
    "waits_for": ["prep"],
    "decision": {"run": "it is new"},
    "environment": {"name": "env:1", "digest": "ab" * 32, "state": "built"},
    "compute": "azureml:cpu",
    "code": {"name": "src", "digest": "cd" * 32},
    "inputs": {
        "rate": {"value": "0.1"},
        "data": {"from_step": "prep", "from_output": "clean", "path": "azureml://x"},
        "more": {"asset": "azureml:wine:3", "path": "snapshot://x"},
        "note": None,
    },
    "outputs": {
        "model": {
            "type": "mlflow_model",
            "path": "azureml://datastores/b/paths/m/",
            "name": "taxi",
            "version": None,
        }
    },
    "command": "python train.py \\\n  --rate 0.1",
}
PLAN = {
    "name": None,
    "steps": [STEP],
    "outputs": {
        "final": {"step": "outer/train", "output": "model", "path": "azureml://datastores/b/paths/m/"}
    },
}


def test_a_dry_run_prints_the_plan_and_creates_nothing(
    penstock: Penstock, fake: FakeServer, project: Path
) -> None:
    """JSON, or one row per step; what would be created is not posted."""
    fake.on("POST", f"{JOBS}:plan", {"record": PLAN, "warnings": []})

    record = penstock("job create -f job.yml --dry-run")
    table = penstock("job create -f job.yml --dry-run -o table")
    names = penstock("job create -f job.yml --dry-run --query steps[].step -o tsv")

    assert json.loads(record.out) == PLAN
    assert "outer/train" in table.out
    assert "env:1 abababababab, built" in table.out
    assert names.out == "outer/train\n"
    assert fake.asked("POST", JOBS) == []


def test_a_person_reads_the_plan_as_text() -> None:
    """What each step waits for, reads, writes and executes, and why it runs."""
    assert list(lines_of(PLAN, "job.yml")) == [
        "job.yml would run 1 step; nothing was created",
        "",
        "outer/train  run, after prep  (it is new)",
        "  environment  env:1 abababababab, built",
        "  compute      cpu",
        "  code         src  cdcdcdcdcdcd",
        "  input        rate = 0.1",
        "  input        data = prep.clean",
        "  input        more = azureml:wine:3",
        "  input        note = (left out)",
        "  output       model → azureml://datastores/b/paths/m/, registered as model taxi:<next>",
        "  $ python train.py \\",
        "  $   --rate 0.1",
        "",
        "outputs of the job",
        "  final: outer/train.model  azureml://datastores/b/paths/m/",
    ]


@pytest.mark.parametrize("flag", ["--stream", "--web", "--save-as x.yml"])
def test_a_dry_run_makes_nothing_to_follow_or_to_keep(penstock: Penstock, project: Path, flag: str) -> None:
    """Said before anything is asked."""
    ran = penstock(f"job create -f job.yml --dry-run {flag}")

    assert ran.code == 2
    assert "exclude each other" in ran.err


def test_list_asks_for_what_its_flags_say(penstock: Penstock, fake: FakeServer) -> None:
    """Edge case 16.5: `-p` is the parent here, the path in `create`, the folder in `download`. Fifty by default."""
    fake.on("GET", JOBS, [])

    for line in (
        "",
        "-p happy_frog -r 3",
        "--all-results true --tag a=b",
        "--status Running --include-archived",
    ):
        assert penstock(f"job list {line}").out == "[]\n"

    assert [request.query for request in fake.asked("GET", JOBS)] == [
        {"max_results": ["50"]},
        {"parent_job_name": ["happy_frog"], "max_results": ["3"]},
        {"all_results": ["true"], "tag": ["a=b"]},
        {"max_results": ["50"], "status": ["Running"], "include_archived": ["true"]},
    ]
    assert penstock("job list --include-archived --archived-only").code == 1


def test_a_mistyped_name_gets_the_nearest(penstock: Penstock, fake: FakeServer) -> None:
    """Exit code 3."""
    fake.on("GET", JOBS, [{"name": "happy_frog"}])

    ran = penstock("job show -n hapy_frog")

    assert ran.code == 3
    assert "hint: did you mean the job `happy_frog`?" in ran.err


def test_cancel_prints_nothing(penstock: Penstock, accepting: FakeServer) -> None:
    """What is asked for is said on stderr."""
    accepting.on("POST", f"{JOBS}/happy_frog/cancel", RECORD)

    ran = penstock("job cancel -n happy_frog")

    assert (ran.code, ran.out) == (0, "")
    assert len(accepting.asked("POST", f"{JOBS}/happy_frog/cancel")) == 1


@pytest.mark.parametrize("verb", ["archive", "restore"])
def test_archive_and_restore_print_nothing(penstock: Penstock, accepting: FakeServer, verb: str) -> None:
    """What is absent is exit code 3."""
    accepting.on("POST", f"{JOBS}/happy_frog/{verb}", None, 204)

    ran = penstock(f"job {verb} -n happy_frog")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert len(accepting.asked("POST", f"{JOBS}/happy_frog/{verb}")) == 1
    assert penstock(f"job {verb} -n absent").code == 3


def test_update_sends_what_its_flags_say(penstock: Penstock, accepting: FakeServer) -> None:
    """The changed job is printed."""
    accepting.on("PATCH", f"{JOBS}/happy_frog", {**RECORD, "display_name": "again"})

    ran = penstock(
        "job update -n happy_frog --set display_name=again tags.a=b --remove tags.c --query display_name -o tsv"
    )

    assert (ran.code, ran.out) == (0, "again\n")
    assert accepting.asked("PATCH", f"{JOBS}/happy_frog")[0].json == {
        "set": {"display_name": "again", "tags.a": "b"},
        "add": [],
        "remove": ["tags.c"],
    }
    assert penstock("job update -n happy_frog").code == 2


def test_download_writes_under_the_given_path(
    penstock: Penstock, accepting: FakeServer, project: Path
) -> None:
    """The layout is the SDK's."""
    accepting.on("GET", f"{JOBS}/happy_frog/files", {"files": [{"path": "named-outputs/o/a.txt", "size": 2}]})
    accepting.on("GET", f"{JOBS}/happy_frog/files/named-outputs/o/a.txt", b"hi")

    ran = penstock("job download -n happy_frog --output-name o --download-path out")

    assert (ran.code, ran.out) == (0, "")
    assert (project / "out" / "named-outputs" / "o" / "a.txt").read_text() == "hi"
    assert accepting.asked("GET", f"{JOBS}/happy_frog/files")[0].query == {"output_name": ["o"]}


def test_a_job_that_runs_has_nothing_to_download(penstock: Penstock, fake: FakeServer) -> None:
    """Its state is named."""
    fake.on("GET", f"{JOBS}/happy_frog", {**RECORD, "status": "Running"})

    ran = penstock("job download -n happy_frog")

    assert ran.code == 1
    assert "is Running" in ran.err
    assert "penstock job stream -n happy_frog" in ran.err


def test_a_stream_survives_the_servers_restart(penstock: Penstock, accepting: FakeServer) -> None:
    """The user sees one stream."""
    asked: list[Request] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request)
        if len(asked) == 1:
            return 200, lines({"kind": "log", "text": "one\n", "step": None, "cursor": "c"})
        return 200, lines(
            {"kind": "log", "text": "two\n", "step": None}, {"kind": "end", "status": "Completed"}
        )

    accepting.answers["GET", f"{JOBS}/happy_frog/stream"] = answer
    started = time.monotonic()

    ran = penstock("job stream -n happy_frog")

    assert "one\ntwo\n" in ran.out
    assert asked[1].query["after"] == ["c"]
    assert time.monotonic() - started < 30


DIFFERENCE = {
    "a": {"name": "frog", "status": "Completed", "created_at": "x"},
    "b": {"name": "toad", "status": "Failed", "created_at": "y"},
    "equal": False,
    "steps": {
        "": {"status": {"a": "Completed", "b": "Failed"}},
        "train": {
            "inputs": {"a": {"a": "1", "b": "2"}, "b": {"a": None, "b": "x"}},
            "metrics": {"auc": {"a": 0.5, "b": 0.75, "change": 0.25}},
            "code": {"added": ["new.py"], "removed": [], "changed": ["train.py"], "diff": {}},
        },
        "score": {"only_in": "b"},
    },
}


def test_what_differs_between_two_jobs_is_a_row_each(penstock: Penstock, fake: FakeServer) -> None:
    """Also of inputs that are called like the two sides."""
    fake.on("GET", f"{JOBS}/frog/difference/toad", DIFFERENCE)

    rows = [line.split("\t") for line in penstock("job show-diff frog toad -o tsv").out.splitlines()]
    text = penstock("job show-diff frog toad").out

    assert sorted(row for row in rows) == sorted(
        [
            ["Completed", "Failed", "", "status"],
            ["1", "2", "train", "inputs a"],
            ["(none)", "x", "train", "inputs b"],
            ["0.5", "0.75", "train", "metrics auc"],
            ["(none)", "present", "train", "code new.py"],
            ["changed", "changed", "train", "code train.py"],
            ["(none)", "present", "score", "step"],
        ]
    )
    assert "    a: 1 → 2\n    b: (none) → x\n" in text
