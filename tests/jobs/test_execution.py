"""Jobs come to their end: in order, in parallel, canceled, failed, and after the engine was lost."""

import os
import time
from pathlib import Path

import pytest

from penstock import config_file
from penstock.jobs import statuses as st
from penstock.subscription import PART
from tests.jobs.conftest import Bench, step


def test_a_job_goes_through_azure_mls_statuses_in_order(bench: Bench) -> None:
    """What `--stream` shows and what scripts poll for."""
    bench.create("j", **step("echo hello"))

    job = bench.settle("j")

    assert job.status == st.COMPLETED
    assert bench.statuses("j") == [
        st.PREPARING, st.QUEUED, st.STARTING, st.RUNNING, st.FINALIZING, st.COMPLETED
    ]  # fmt: skip
    assert bench.log("j") == "hello\n"
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.created_at <= job.started_at <= job.ended_at


def test_data_flows_along_the_bindings(bench: Bench) -> None:
    """A folder and a file written by one step are read by the next."""
    bench.create(
        inputs={"word": "water"},
        outputs={"result": {"type": "uri_file"}},
        jobs={
            "a": step(
                "echo ${{inputs.w}} > ${{outputs.folder}}/x.txt && echo more > ${{outputs.file}}",
                inputs={"w": "${{parent.inputs.word}}"},
                outputs={"folder": None, "file": {"type": "uri_file"}},
            ),
            "b": step(
                "cat ${{inputs.folder}}/x.txt ${{inputs.file}} > ${{outputs.out}}",
                inputs={
                    "folder": "${{parent.jobs.a.outputs.folder}}",
                    "file": "${{parent.jobs.a.outputs.file}}",
                },
                outputs={"out": "${{parent.outputs.result}}"},
            ),
        },
    )

    assert bench.settle().status == st.COMPLETED
    plan = bench.job("p_b").spec["plan"]["outputs"]["out"]
    written = bench.home.datastore("demo", plan["datastore"]) / plan["path"]
    assert written.read_text() == "water\nmore\n"
    assert not written.stat().st_mode & 0o222, "outputs are written once"


def test_steps_run_in_parallel_within_the_computes_limit(bench: Bench) -> None:
    """Four independent steps on a compute of two: never more than two at once, and two at some time."""
    marks = bench.home.path / "marks"
    marks.mkdir()
    command = f"touch {marks}/$AZUREML_RUN_ID; sleep 0.3; ls {marks} | wc -l; rm {marks}/$AZUREML_RUN_ID"
    bench.create(jobs={f"s{number}": step(command) for number in range(4)})

    assert bench.settle().status == st.COMPLETED
    seen = [int(bench.log(f"p_s{number}")) for number in range(4)]
    assert max(seen) <= 2
    assert max(seen) == 2


def test_a_failed_step_says_why_and_what_to_do(bench: Bench) -> None:
    """The last lines of its log, the exit code, and the next step are in the error of the step and of the pipeline."""
    bench.create(jobs={"train": step("echo before; python -c 'import nonsense_module'; exit 3")})

    job = bench.settle()

    assert job.status == st.FAILED
    assert job.error is not None
    assert job.error["message"] == "step `train` failed: its command exited with code 3"
    assert "before" in job.error["details"]
    assert "add `nonsense_module` to the environment's conda file" in job.error["hint"]


def test_a_failure_leaves_independent_steps_running_and_cancels_dependents(bench: Bench) -> None:
    """continue_on_step_failure is true by default."""
    bench.create(
        jobs={
            "bad": step("exit 1", outputs={"o": None}),
            "after": step("cat ${{inputs.i}}", inputs={"i": "${{parent.jobs.bad.outputs.o}}"}),
            "other": step("sleep 0.3"),
        }
    )

    assert bench.settle().status == st.FAILED
    assert bench.job("p_other").status == st.COMPLETED
    after = bench.job("p_after")
    assert after.status == st.CANCELED
    assert after.error is not None
    assert "step `bad`, whose output it reads, did not complete" in after.error["message"]


def test_a_failure_stops_the_others_where_the_file_says_so(bench: Bench) -> None:
    """continue_on_step_failure: false ends running steps."""
    bench.create(
        settings={"continue_on_step_failure": False},
        jobs={"bad": step("sleep 0.3; exit 1"), "long": step("sleep 60")},
    )

    assert bench.settle().status == st.FAILED
    assert bench.job("p_long").status == st.CANCELED


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill -9 $$", "killed by signal 9"),
        ("true", "uri_file, and no file was written"),
        ("mkdir ${{outputs.o}}", "uri_file, and no file was written"),
    ],
)
def test_a_step_that_breaks_its_promise_fails_with_the_reason(bench: Bench, command: str, words: str) -> None:
    """Killed, or ended well without writing its file."""
    bench.create("j", **step(command, outputs={"o": {"type": "uri_file"}}))

    job = bench.settle("j")

    assert job.status == st.FAILED
    assert job.error is not None
    assert words in job.error["message"] + " ".join(job.error["details"])


def test_a_folder_that_stays_empty_is_a_warning(bench: Bench) -> None:
    """Edge cases 4.8 and 5.3: `outputs: {o: }` is a folder, and exists. Azure ML completes such a step; a user still wants to know."""
    bench.create("j", **step("true", outputs={"o": None}))

    job = bench.settle("j")

    assert job.status == st.COMPLETED
    assert "wrote nothing to its output `o`" in job.properties["penstock.warning.1"]


def test_a_gigabyte_of_log_is_bounded(bench: Bench) -> None:
    """The log keeps its beginning and its end, and the job says that it was cut."""
    bench.create("j", **step("echo begin; head -c 30000000 /dev/zero | tr '\\0' 'x'; echo; echo end"))

    job = bench.settle("j")

    assert job.status == st.COMPLETED
    log = bench.log("j")
    assert len(log) < 2 * bench.log_limit
    assert log.startswith("begin\n")
    assert log.endswith("end\n")


def test_a_timeout_cancels_as_in_azure_ml(bench: Bench) -> None:
    """Edge case 5.2: limits.timeout ends the job as Canceled, not as Failed."""
    bench.create("j", **step("sleep 60", limits={"timeout": 1}))

    job = bench.settle("j")

    assert job.status == st.CANCELED
    assert job.error is not None
    assert "limit of 1 s" in job.error["message"]


def test_a_pipeline_names_the_step_that_took_too_long(bench: Bench) -> None:
    """A pipeline that ends as Canceled though nobody canceled it says why."""
    bench.create(jobs={"slow": step("sleep 60", limits={"timeout": 1}), "quick": step("true")})

    job = bench.settle()

    assert job.status == st.CANCELED
    assert job.error is not None
    assert job.error["code"] == "Timeout"
    assert "step `slow` was ended after its limit of 1 s" in job.error["message"]


def test_reliability_22_cancel_reaches_grandchildren(bench: Bench) -> None:
    """A daemonised grandchild that ignores SIGTERM is gone when the job is Canceled."""
    pid_file = bench.home.path / "pid"
    script = f"import signal, os, time; signal.signal(15, 1); open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(90)"
    bench.create("j", **step(f'setsid python -c "{script}" & sleep 90'))
    bench.until(lambda: pid_file.exists() and pid_file.read_text() != "")

    bench.cancel("j")
    job = bench.settle("j")

    assert job.status == st.CANCELED
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_cancel_before_a_step_started_means_that_it_never_does(bench: Bench) -> None:
    """Waiting, preparing and not started steps are canceled at once."""
    bench.instances = 1
    bench.create(jobs={name: step("sleep 60") for name in ("first", "second", "third")})
    names = ("p_first", "p_second", "p_third")
    bench.until(lambda: any(bench.job(name).status == st.RUNNING for name in names))

    bench.cancel()

    assert bench.settle().status == st.CANCELED
    assert [bench.job(name).status for name in names] == [st.CANCELED] * 3
    assert sum(bench.job(name).started_at is not None for name in names) == 1


def test_an_environment_that_cannot_be_built_fails_its_step(bench: Bench) -> None:
    """The error is the environment's own, with the step's name before it."""
    from penstock.errors import EnvironmentCannotBeBuilt

    def refuse(label: str) -> None:
        raise EnvironmentCannotBeBuilt("a==1 conflicts with a==2", hint="remove one")

    bench.environments.before = refuse
    bench.create("j", **step("true"))

    job = bench.settle("j")

    assert job.status == st.FAILED
    assert job.error is not None
    assert job.error["message"] == "job `j` failed: a==1 conflicts with a==2"
    assert job.error["hint"] == "remove one"


def test_reliability_18_a_lost_engine_adopts_what_runs(bench: Bench) -> None:
    """Another engine on the same state takes up a running step; nothing is run twice, nothing finished is lost."""
    count = bench.home.path / "count"
    bench.create(
        jobs={
            "a": step(
                f"echo a >> {count}; sleep 0.5; echo x > ${{{{outputs.o}}}}",
                outputs={"o": {"type": "uri_file"}},
            ),
            "b": step(
                f"echo b >> {count}; cat ${{{{inputs.i}}}}", inputs={"i": "${{parent.jobs.a.outputs.o}}"}
            ),
        }
    )
    bench.until(lambda: bench.job("p_a").status == st.RUNNING)

    bench.lose_engine()

    assert bench.settle().status == st.COMPLETED
    assert count.read_text() == "a\nb\n"
    assert bench.statuses("p_a").count(st.RUNNING) == 1


@pytest.mark.parametrize("status", [st.PREPARING, st.QUEUED, st.STARTING, st.RUNNING, st.FINALIZING])
def test_reliability_18_an_engine_lost_in_any_status_leaves_no_lie(bench: Bench, status: str) -> None:
    """The engine is dropped the moment a step has the status; the next one brings the job to its right end, once."""
    count = bench.home.path / "count"
    bench.create("j", **step(f"echo ran >> {count}; sleep 0.2"))
    deadline = time.monotonic() + 20
    while bench.job("j").status != status:
        assert time.monotonic() < deadline
        bench.engine.run_once()
        if status in bench.statuses("j"):
            break
    bench.lose_engine()

    job = bench.settle("j")

    assert job.status == st.COMPLETED
    assert count.read_text() == "ran\n"


def test_a_cancel_while_the_engine_was_away_is_carried_out(bench: Bench) -> None:
    """The request is in the database; whoever comes next reads it."""
    bench.create("j", **step("sleep 60"))
    bench.until(lambda: bench.job("j").status == st.RUNNING)
    with bench.database.transaction() as tx:
        tx.jobs.update("demo", "j", cancel_requested_at=time.time())

    bench.lose_engine()

    assert bench.settle("j").status == st.CANCELED


def test_what_a_script_writes_to_outputs_becomes_an_artifact(bench: Bench) -> None:
    """Edge case 5.5: `./outputs` and `./logs` exist and are kept; the rest of the working folder goes. Outputs of the file are not among them."""
    command = "echo 1 > outputs/metrics.json; echo 2 > logs/own.log; echo 3 > scratch.txt; echo 4 > ${{outputs.o}}/o"
    bench.create("j", **step(command, outputs={"o": None}))

    job = bench.settle("j")

    folders = bench.runner.folders(job)
    kept = sorted(
        str(path.relative_to(folders.artifacts)) for path in folders.artifacts.rglob("*") if path.is_file()
    )
    assert kept == [
        "logs/own.log", "outputs/metrics.json", "system_logs/environment.log", "user_logs/std_log.txt"
    ]  # fmt: skip
    assert not folders.work.exists()


def test_reliability_08_texts_arrive_byte_exact(bench: Bench) -> None:
    """A value with quotes and a dollar reaches a quoted place of the command as it is; nothing else is interpreted."""
    value = """it's "x"; $(touch hacked) `touch hacked` \\ --flag"""
    bench.create("j", inputs={"text": value}, **step("cat <<'END'\n${{inputs.text}}\nEND\nls"))

    assert bench.settle("j").status == st.COMPLETED
    assert bench.log("j") == f"{value}\nlogs\noutputs\n"


def test_a_step_sees_azure_mls_and_mlflows_variables(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts ask for these to know that they run in a job; the server's own secrets are not among them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    config_file.change(bench.home, PART, lambda _: {"subscription": "one-that-was-set"})
    bench.create("j", **step("env", environment_variables={"MINE": "1", "AZUREML_RUN_ID": "other"}))

    bench.settle("j")

    seen = dict(line.split("=", 1) for line in bench.log("j").splitlines() if "=" in line)
    assert seen["AZUREML_RUN_ID"] == seen["AZUREML_ROOT_RUN_ID"] == "j"
    assert "AZUREML_RUN_TOKEN" not in seen  # azureml-core would look for the services of the cloud
    assert seen["AZUREML_ARM_WORKSPACE_NAME"] == "demo"
    assert seen["AZUREML_ARM_SUBSCRIPTION"] == "one-that-was-set"
    assert seen["MLFLOW_TRACKING_URI"].endswith("/mlflow/demo")
    assert seen["MLFLOW_EXPERIMENT_NAME"] == "tests"
    assert seen["MINE"] == "1"
    assert (seen["AZUREML_NODE_COUNT"], seen["AZ_BATCHAI_TASK_INDEX"]) == ("1", "0")
    assert seen["AZ_BATCH_NODE_LIST"] == seen["AZ_BATCHAI_NODE_LIST"] == "127.0.0.1"
    assert seen["AZUREML_COMPUTE_USE_COMMON_RUNTIME"] == "true"
    assert "hunter2" not in bench.log("j")


def test_the_code_is_a_private_copy(bench: Bench, tmp_path: Path) -> None:
    """A script that changes its own folder changes neither the snapshot nor the next run."""
    from penstock.resources.snapshots import take_snapshot

    (tmp_path / "run.sh").write_text("echo '#' >> run.sh; wc -l < run.sh\n")
    snapshot, files = take_snapshot(tmp_path)
    for digest, path in files.items():
        bench.artifacts.put(digest, [path.read_bytes()])
    bench.artifacts.put(snapshot.digest, [snapshot.manifest()])

    for name in ("one", "two"):
        bench.create(name, **step("bash run.sh", code=snapshot.uri))
        bench.settle(name)

    assert bench.log("one").strip() == bench.log("two").strip() == "2"
