"""Which processes a step has, and by which variables they find one another.

A step of several instances runs on this machine all the same: each instance is a node whose address is 127.0.0.1, so what
the variables say of nodes and ranks is what they would say in a cluster.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.compute.interface import port
from penstock.jobs.plans import StepPlan

HERE = "127.0.0.1"
ONE_LOG = "std_log.txt"

# Which of the processes one is: a user's `environment_variables` win over the other variables, not over these.
_RANKS = frozenset(
    {
        "RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "TF_CONFIG", "AZ_BATCHAI_TASK_INDEX", "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
    }
)  # fmt: skip


@dataclass(frozen=True)
class StepProcess:
    """One of a step's processes. `variables` may name ports, as `compute.interface.port` writes them."""

    name: str
    variables: Mapping[str, str]
    serves_the_others: bool = False

    @property
    def log_name(self) -> str:
        """Its file in `user_logs/`."""
        return log_name(self.name)


@dataclass(frozen=True)
class Layout:
    """The processes of a step, the primary one first, and how many free ports they need."""

    processes: tuple[StepProcess, ...]
    ports: int = 0


def log_name(process: str) -> str:
    """The file in `user_logs/` of the process of this name."""
    return f"std_log_{process}.txt"


def layout_of(plan: StepPlan) -> Layout | None:
    """The processes of a step; None for the usual step, which is one process that needs to find nobody."""
    if not _is_several(plan.distribution is not None, plan.instance_count):
        return None
    layout = _layout(plan)
    taken = {name for name in plan.environment_variables if name not in _RANKS}
    return Layout(
        tuple(
            StepProcess(
                each.name,
                {name: value for name, value in each.variables.items() if name not in taken},
                each.serves_the_others,
            )
            for each in layout.processes
        ),
        layout.ports,
    )


def log_names(plan: Mapping[str, Any]) -> tuple[tuple[str | None, str], ...]:
    """Name and log file of every process, from a plan's record: the primary one, whose log is the step's own, first.

    The name is None for a step that is one process. Cheap for those, since whoever follows a job asks again and again.
    """
    if not _is_several(bool(plan.get("distribution")), int(plan.get("instance_count", 1))):
        return ((None, ONE_LOG),)
    layout = _layout(StepPlan.from_record(plan))
    return tuple((each.name, each.log_name) for each in layout.processes)


def _is_several(is_distributed: bool, instances: int) -> bool:
    return is_distributed or instances > 1


def _layout(plan: StepPlan) -> Layout:
    nodes, distribution = plan.instance_count, plan.distribution
    if distribution is None:
        processes = tuple(StepProcess(f"node_{node}", _node(node, nodes)) for node in range(nodes))
        return Layout(processes, ports=1)
    if distribution.type == "tensorflow":
        return _tensorflow(nodes, distribution.workers or nodes, distribution.parameter_servers)
    variables = _torch if distribution.type == "pytorch" else _mpi
    return Layout(tuple(variables(nodes, distribution.processes_per_instance)), ports=1)


def _node(node: int, nodes: int) -> dict[str, str]:
    """What every process knows of its node and of the others."""
    hosts = [HERE] * nodes
    return {
        "AZUREML_NODE_COUNT": str(nodes),
        "AZ_BATCHAI_TASK_INDEX": str(node),
        "AZ_BATCH_NODE_ID": f"node-{node}",
        "AZ_BATCH_NODE_LIST": ";".join(hosts),
        "AZ_BATCHAI_NODE_LIST": ",".join(hosts),
        "AZ_BATCH_HOST_LIST": ",".join(hosts),
        "AZ_BATCH_MASTER_NODE": f"{HERE}:{port(0)}",
    }


def _torch(nodes: int, each: int) -> Iterator[StepProcess]:
    for rank in range(nodes * each):
        yield StepProcess(
            f"process_{rank}",
            {
                **_node(rank // each, nodes),
                "MASTER_ADDR": HERE,
                "MASTER_PORT": port(0),
                "WORLD_SIZE": str(nodes * each),
                "NODE_RANK": str(rank // each),
                "RANK": str(rank),
                "LOCAL_RANK": str(rank % each),
            },
        )


def _mpi(nodes: int, each: int) -> Iterator[StepProcess]:
    for rank in range(nodes * each):
        yield StepProcess(
            f"process_{rank}",
            {
                **_node(rank // each, nodes),
                "AZ_BATCHAI_MPI_MASTER_NODE": HERE,
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_SIZE": str(nodes * each),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(rank % each),
                "OMPI_COMM_WORLD_LOCAL_SIZE": str(each),
            },
        )


def _tensorflow(nodes: int, workers: int, servers: int) -> Layout:
    """Port 0 is the master node's; each worker and parameter server has one of its own, as TensorFlow asks for."""
    cluster = {"worker": [f"{HERE}:{port(1 + index)}" for index in range(workers)]}
    if servers:
        cluster["ps"] = [f"{HERE}:{port(1 + workers + index)}" for index in range(servers)]
    processes = []
    for kind, addresses in cluster.items():
        for index in range(len(addresses)):
            task = {"type": kind, "index": index}
            config = {"cluster": cluster, "task": task, "environment": "cloud"}
            variables = {**_node(index % nodes, nodes), "TF_CONFIG": json.dumps(config)}
            processes.append(StepProcess(f"{kind}_{index}", variables, serves_the_others=kind == "ps"))
    return Layout(tuple(processes), ports=1 + workers + servers)
