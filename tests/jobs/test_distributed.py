"""Steps of several processes: they meet, they have the variables of their framework, and they end together."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.compute.processes import identity_of
from penstock.errors import InvalidDocument
from penstock.jobs import statuses as st
from penstock.jobs.instances import Instances
from penstock.jobs.planning import plan_pipeline
from penstock.jobs.plans import PlannedDistribution, StepPlan
from penstock.resources import documents
from tests.jobs.conftest import AnyEnvironment, Bench, step

# Each process tells rank 0, at MASTER_ADDR:MASTER_PORT, who it is; rank 0 prints them all. What torch.distributed does first.
RENDEZVOUS = r"""
import os, socket, time
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
me = " ".join(os.environ[name] for name in ("RANK", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE", "AZUREML_NODE_COUNT"))
print("rank", rank, "of", world)
if rank == 0:
    met = [me]
    with socket.create_server(place) as server:
        while len(met) < world:
            caller, _ = server.accept()
            with caller:
                met.append(caller.recv(99).decode())
    print("\n".join(sorted(met)))
else:
    while True:
        try:
            with socket.create_connection(place) as caller:
                caller.sendall(me.encode())
            break
        except OSError:
            time.sleep(0.01)
"""


def python(script: str) -> str:
    return f"python - <<'SCRIPT'\n{script}\nSCRIPT"


def logs_of(bench: Bench, name: str) -> dict[str, str]:
    folder = bench.runner.folders(bench.job(name)).user_logs
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def several(command: str, type_: str = "pytorch", count: int = 2, **more: Any) -> dict[str, Any]:
    distribution = {"type": type_, "process_count_per_instance": count}
    return step(command, distribution=distribution, **more)


def test_edge_case_5_4_the_command_runs_once_per_process_and_all_ranks_meet(bench: Bench) -> None:
    """Edge case 5.4: two nodes of two processes, which differ by node and rank and share one master."""
    bench.create("j", **several(python(RENDEZVOUS), resources={"instance_count": 2}))

    assert bench.settle("j").status == st.COMPLETED, logs_of(bench, "j")
    logs = logs_of(bench, "j")
    assert list(logs) == [f"std_log_process_{rank}.txt" for rank in range(4)]
    assert logs["std_log_process_0.txt"].splitlines() == [
        "rank 0 of 4", "0 0 0 4 2", "1 0 1 4 2", "2 1 0 4 2", "3 1 1 4 2"
    ]  # fmt: skip
    assert logs["std_log_process_3.txt"] == "rank 3 of 4\n"


def test_steps_that_run_at_once_have_masters_of_their_own(bench: Bench) -> None:
    """No two jobs of a machine are given the same port."""
    bench.instances = 4
    command = python("import time\n" + RENDEZVOUS + "\nprint('port', place[1]); time.sleep(0.3)")
    bench.create(jobs={f"s{number}": several(command) for number in range(4)})

    assert bench.settle().status == st.COMPLETED
    ports = [logs_of(bench, f"p_s{n}")["std_log_process_1.txt"].split("port")[1] for n in range(4)]
    assert len(set(ports)) == 4


def test_tensorflow_is_told_its_cluster(bench: Bench) -> None:
    """TF_CONFIG names every worker and parameter server; these end when the workers have ended."""
    script = (
        "import json, os, time; config = json.loads(os.environ['TF_CONFIG']); print(json.dumps(config), flush=True)\n"
        "is_server = config['task']['type'] == 'ps'\n"
        "if is_server: open('listening', 'w').close()\n"
        "while is_server or not os.path.exists('listening'): time.sleep(0.05)"
    )
    distribution = {"type": "TensorFlow", "worker_count": 2, "parameter_server_count": 1}
    bench.create("j", **step(python(script), distribution=distribution))

    assert bench.settle("j").status == st.COMPLETED
    logs = logs_of(bench, "j")
    assert list(logs) == ["std_log_ps_0.txt", "std_log_worker_0.txt", "std_log_worker_1.txt"]
    configs = [json.loads(text.splitlines()[0]) for text in logs.values()]
    cluster = configs[0]["cluster"]
    assert all(config["cluster"] == cluster and config["environment"] == "cloud" for config in configs)
    assert [config["task"] for config in configs] == [
        {"type": "ps", "index": 0}, {"type": "worker", "index": 0}, {"type": "worker", "index": 1}
    ]  # fmt: skip
    assert len({*cluster["worker"], *cluster["ps"]}) == 3
    assert all(address.startswith("127.0.0.1:") for address in (*cluster["worker"], *cluster["ps"]))


def test_mpi_processes_have_open_mpis_variables(bench: Bench) -> None:
    """Rank, size, their counterparts within a node, and where the master is."""
    names = ["RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE"]
    words = " ".join(f"$OMPI_COMM_WORLD_{name}" for name in names)
    master = (
        "$AZ_BATCHAI_MPI_MASTER_NODE ${AZ_BATCH_MASTER_NODE%:*} $AZ_BATCHAI_TASK_INDEX $AZ_BATCH_HOST_LIST"
    )
    bench.create("j", **several(f"echo {words} {master}", "mpi", 2, resources={"instance_count": 2}))

    assert bench.settle("j").status == st.COMPLETED
    assert list(logs_of(bench, "j").values()) == [
        f"{rank} 4 {rank % 2} 2 127.0.0.1 127.0.0.1 {rank // 2} 127.0.0.1,127.0.0.1\n" for rank in range(4)
    ]


def test_without_distribution_the_command_runs_once_per_node(bench: Bench) -> None:
    """Two instances are two runs of the command, which know their index."""
    bench.create(
        "j", **step("echo $AZ_BATCHAI_TASK_INDEX/$AZUREML_NODE_COUNT", resources={"instance_count": 2})
    )

    assert bench.settle("j").status == st.COMPLETED
    assert logs_of(bench, "j") == {"std_log_node_0.txt": "0/2\n", "std_log_node_1.txt": "1/2\n"}


def test_one_failing_process_fails_the_job_and_stops_the_others(bench: Bench) -> None:
    """The error names the process, and shows the end of its log and not the primary one's."""
    command = '[ $RANK = 1 ] && { echo "it is me"; exit 7; }; echo waiting; exec sleep 600'
    bench.create("j", **several(command, count=3))

    job = bench.settle("j")

    assert job.status == st.FAILED
    assert job.error is not None
    assert job.error["message"] == (
        "job `j` failed: its process `process_1` exited with code 7; the others were stopped"
    )
    assert job.error["details"] == ["it is me"]
    assert "penstock job stream -n j --verbose" in job.error["hint"]


def test_cancel_and_time_limit_end_every_process(bench: Bench) -> None:
    """Edge case 5.2: a time limit gives Canceled."""
    command = "echo $$; exec sleep 600"
    bench.create("c", **several(command))
    bench.until(lambda: bench.job("c").status == st.RUNNING and all(logs_of(bench, "c").values()))
    pids = [int(text) for text in logs_of(bench, "c").values()]

    bench.cancel("c")
    bench.create("t", **several(command, limits={"timeout": 1}))

    assert bench.settle("c").status == st.CANCELED
    timed_out = bench.settle("t")
    assert (timed_out.status, (timed_out.error or {})["code"]) == (st.CANCELED, "Timeout")
    assert [identity_of(pid) for pid in pids] == [None, None]


def test_a_lost_server_adopts_all_processes(bench: Bench) -> None:
    """They go on meanwhile, run once, and end the job under the next server."""
    go = bench.home.path / "go"
    bench.create("j", **several(f"echo run; while [ ! -e {go} ]; do sleep 0.02; done; echo end"))
    bench.until(lambda: bench.job("j").status == st.RUNNING and all(logs_of(bench, "j").values()))

    bench.lose_engine()
    go.touch()

    assert bench.settle("j").status == st.COMPLETED
    assert list(logs_of(bench, "j").values()) == ["run\nend\n"] * 2


def test_a_users_variables_win_but_not_over_ranks(bench: Bench) -> None:
    """A port or an address may be given; who a process is may not."""
    variables = {"MASTER_PORT": "29500", "RANK": "9", "NCCL_DEBUG": "INFO"}
    bench.create(
        "j", **several("echo $MASTER_ADDR:$MASTER_PORT $RANK $NCCL_DEBUG", environment_variables=variables)
    )

    bench.settle("j")

    assert list(logs_of(bench, "j").values()) == [f"127.0.0.1:29500 {rank} INFO\n" for rank in range(2)]


def test_all_processes_share_the_jobs_run(bench: Bench) -> None:
    """Edge case 5.6: as in Azure ML, whichever process logs, logs to the job's run."""
    bench.environments.has_mlflow = True
    bench.create("j", **several("echo $MLFLOW_RUN_ID $AZUREML_RUN_ID"))

    bench.settle("j")

    assert list(logs_of(bench, "j").values()) == ["run-0 j\n"] * 2


def test_more_instances_than_the_compute_may_have_are_refused(bench: Bench) -> None:
    """It would wait for ever. This machine itself takes what it is given."""
    too_many = step("true", compute="azureml:small", resources={"instance_count": 4})

    with pytest.raises(InvalidDocument) as caught:
        bench.create("j", **too_many)
    bench.create("here", **step("echo $AZUREML_NODE_COUNT", resources={"instance_count": 4}))

    (problem,) = caught.value.problems
    assert problem.pointer == "/resources/instance_count"
    assert "at most 3 (max_instances)" in problem.message
    assert bench.settle("here").status == st.COMPLETED


def test_too_many_processes_are_refused(bench: Bench) -> None:
    """A slip of a finger does not fill the machine's process table."""
    with pytest.raises(InvalidDocument) as caught:
        bench.create("j", **several("true", count=1000))

    (problem,) = caught.value.problems
    assert (problem.pointer, problem.expected) == ("/distribution", "at most 256")


def test_counts_come_from_inputs_and_components(bench: Bench) -> None:
    """In a pipeline's step, bound to the pipeline's input, with the component's distribution."""
    component = {
        "command": "echo $WORLD_SIZE",
        "environment": "azureml:e:1",
        "inputs": {"count": {"type": "integer"}},
        "distribution": {"type": "pytorch", "process_count_per_instance": "${{inputs.count}}"},
        "resources": {"instance_count": 1},
    }
    bench.create(
        inputs={"n": 2},
        jobs={
            "own": several("echo $WORLD_SIZE", resources={"instance_count": "${{parent.inputs.n}}"}),
            "of_component": {"component": component, "inputs": {"count": 3}},
        },
    )

    assert bench.settle().status == st.COMPLETED
    assert len(logs_of(bench, "p_own")) == 4
    assert list(logs_of(bench, "p_of_component").values()) == ["3\n"] * 3


def test_a_plan_of_several_processes_survives_the_database() -> None:
    """And a plan that was written before there were any is read as one process."""
    document = {"type": "pipeline", "jobs": {"a": several("true", "tensorflow")}}
    document["jobs"]["a"]["distribution"] = {"type": "tensorflow", "parameter_server_count": 2}
    document["jobs"]["a"] |= {"resources": {"instance_count": 2}, "queue_settings": {"priority": "Low"}}
    plan = plan_pipeline(documents.parse("job", document).resource, {"a": "a"}, AnyEnvironment()).steps["a"]  # type: ignore[arg-type]

    old = {
        key: value
        for key, value in plan.as_record().items()
        if key not in ("distribution", "instance_count", "priority")
    }

    assert plan.distribution == PlannedDistribution("tensorflow", workers=2, parameter_servers=2)
    assert (plan.instance_count, plan.priority) == (2, "low")
    assert StepPlan.from_record(json.loads(json.dumps(plan.as_record()))) == plan
    assert StepPlan.from_record(old).distribution is None


class NamesMpi4py(AnyEnvironment):
    """Environments whose conda file names mpi4py."""

    def environment(self, reference: Any) -> Any:
        from penstock.jobs.plans import PlannedEnvironment

        return PlannedEnvironment("e", None, {"dependencies": [{"pip": ["mpi4py"]}]})


def test_mpi4py_without_mpirun_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each process would take itself for the only one, without a word."""
    monkeypatch.setattr("tests.jobs.conftest.AnyEnvironment", NamesMpi4py)
    monkeypatch.setenv("PATH", str(tmp_path))
    bench.create("j", **several("true", "mpi"))

    job = bench.settle("j")

    assert job.status == st.FAILED
    assert "neither it nor this machine has `mpirun`" in (job.error or {})["message"]


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="no mpirun on this machine")
def test_mpi4py_is_started_by_mpirun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same variables and the same logs, and the processes are those of one MPI job."""
    monkeypatch.setattr("tests.jobs.conftest.AnyEnvironment", NamesMpi4py)
    command = (
        "echo $OMPI_COMM_WORLD_RANK/$OMPI_COMM_WORLD_SIZE $OMPI_COMM_WORLD_LOCAL_RANK $AZ_BATCHAI_TASK_INDEX"
    )
    bench.create("good", **several(command, "mpi", 2, resources={"instance_count": 2}))
    bench.create("bad", **several("[ $OMPI_COMM_WORLD_RANK = 1 ] && exit 3; exec sleep 600", "mpi", 2))

    assert bench.settle("good").status == st.COMPLETED, logs_of(bench, "good")
    assert list(logs_of(bench, "good").values()) == [
        f"{rank}/4 {rank % 2} {rank // 2}\n" for rank in range(4)
    ]
    bad = bench.settle("bad")
    assert bad.status == st.FAILED
    assert "exited with code 3" in (bad.error or {})["message"]


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="no mpirun on this machine")
def test_logs_of_ranks_under_mpirun_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beginning and end are kept, also the last words of a rank that ends at once."""
    monkeypatch.setattr("tests.jobs.conftest.AnyEnvironment", NamesMpi4py)
    monkeypatch.setenv("PENSTOCK_LOG_LIMIT_MB", "0.02")
    command = "echo begin; yes | head -c 300000; echo end $OMPI_COMM_WORLD_RANK"
    bench.create("j", **several(command, "mpi", 3))

    assert bench.settle("j").status == st.COMPLETED, logs_of(bench, "j")

    for name, log in logs_of(bench, "j").items():
        rank = name.removeprefix("std_log_process_").removesuffix(".txt")
        assert (log.split("\n")[0], log.split("\n")[-2]) == ("begin", f"end {rank}"), name
        assert rank == "0" or len(log) < 0.02 * 1024 * 1024, name


def test_who_needs_several_instances_waits_for_all_of_them() -> None:
    """And whoever came after it waits too, or it would wait for ever."""
    instances = Instances(lambda workspace, name: 3)
    pool, other = ("w", "pool"), ("w", "other")
    instances.hold(("w", "running"), pool, 2)
    instances.ask(("w", "big"), pool, 2)
    instances.ask(("w", "small"), pool)
    instances.ask(("w", "elsewhere"), other)

    first = instances.granted()
    instances.release(("w", "running"))

    assert first == [("w", "elsewhere")]
    assert instances.granted() == [("w", "big"), ("w", "small")]


def test_the_more_urgent_comes_first() -> None:
    """Among equals the one that came first."""
    instances = Instances(lambda workspace, name: 1)
    pool = ("w", "pool")
    asked: Mapping[str, Any] = {"a": "low", "b": "medium", "c": "high", "d": "high"}
    for name, priority in asked.items():
        instances.ask(("w", name), pool, priority=priority)
    order = []

    while granted := instances.granted():
        ((_, name),) = granted
        order.append(name)
        instances.release(("w", name))

    assert order == ["c", "d", "b", "a"]


def test_who_needs_more_than_there_is_runs_alone() -> None:
    """A compute that was made smaller holds nobody up for ever."""
    instances = Instances(lambda workspace, name: 1)
    pool = ("w", "pool")
    instances.hold(("w", "running"), pool)
    instances.ask(("w", "big"), pool, 3)

    waits = instances.granted()
    instances.release(("w", "running"))

    assert (waits, instances.granted()) == ([], [("w", "big")])
