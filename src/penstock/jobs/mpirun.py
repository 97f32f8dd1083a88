"""Starting the processes of an MPI step by `mpirun`, for those who need more of MPI than its variables.

A command that reads its rank from the variables needs no `mpirun`, and its processes are started as any others are. One whose
environment names `mpi4py` speaks to the others by MPI itself: without `mpirun` each process would be alone and take itself
for rank 0, and train something else without a word.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from penstock.compute import keep_log
from penstock.errors import PenstockError
from penstock.jobs.plans import PlannedEnvironment, StepPlan

# $0 is the folder of the logs, $1 how many processes an instance has, $2 the command, $3 a Python, $4 the folder of what
# keeps a log, $5 its limit. Every MPI says the rank in its own way. Who keeps a log holds on to mpirun's own pipe, so that mpirun waits for it.
_EACH = """
KEEP_LOG='import os, sys; sys.path.append(sys.argv[1]); import keep_log; os._exit(keep_log.main(sys.argv[2:]))'
rank=${OMPI_COMM_WORLD_RANK:-${PMIX_RANK:-${PMI_RANK:-0}}}
size=${OMPI_COMM_WORLD_SIZE:-${PMI_SIZE:-1}}
export OMPI_COMM_WORLD_RANK=$rank OMPI_COMM_WORLD_SIZE=$size
export OMPI_COMM_WORLD_LOCAL_RANK=$((rank % $1)) OMPI_COMM_WORLD_LOCAL_SIZE=$1
export AZ_BATCHAI_TASK_INDEX=$((rank / $1)) AZ_BATCH_NODE_ID=node-$((rank / $1))
[ "$rank" = 0 ] || exec > >(exec "$3" -I -S -c "$KEEP_LOG" "$4" "$0/std_log_process_$rank.txt" "$5") 2>&1
exec /bin/bash -c "$2"
"""

# More processes than cores are what the file asks for, and whose the machine is, root may start them. Other MPIs mind none of it.
VARIABLES: Mapping[str, str] = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def needs_mpirun(plan: StepPlan) -> bool:
    """Whether the step's processes speak MPI themselves."""
    distribution = plan.distribution
    return distribution is not None and distribution.type == "mpi" and _names_mpi4py(plan.environment)


def _names_mpi4py(environment: PlannedEnvironment) -> bool:
    return "mpi4py" in str(environment.conda)


def argv_of(
    plan: StepPlan,
    command: str,
    logs: Path,
    python: Path,
    bin_folders: tuple[Path, ...],
    path: str,
    log_limit: int,
) -> tuple[str, ...]:
    """The command line that starts all processes. Raises PenstockError where there is no `mpirun`.

    `python` keeps the logs of all but the first process; `log_limit` is in bytes, for all of them together.
    """
    assert plan.distribution is not None
    each = plan.distribution.processes_per_instance
    places = os.pathsep.join([*map(str, bin_folders), path])
    mpirun = shutil.which("mpirun", path=places) or shutil.which("mpiexec", path=places)
    if mpirun is None:
        raise PenstockError(
            "the environment names `mpi4py`, and neither it nor this machine has `mpirun`",
            details=("without `mpirun` every process would be alone, as rank 0 of 1",),
            hint="install Open MPI on this machine (`apt install openmpi-bin`, `brew install open-mpi`), or remove mpi4py where"
            " only the variables are read",
        )
    count = plan.instance_count * each
    keeper = (str(python.absolute()), str(Path(keep_log.__file__).parent), str(max(log_limit // count, 1)))
    return (mpirun, "-n", str(count), "/bin/bash", "-c", _EACH, str(logs), str(each), command, *keeper)
