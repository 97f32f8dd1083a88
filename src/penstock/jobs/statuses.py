"""The statuses of a job, spelled as Azure ML spells them, and which may follow which."""

from collections.abc import Mapping
from typing import Final

NOT_STARTED: Final = "NotStarted"
PREPARING: Final = "Preparing"  # its environment is built, its inputs and code are laid out
QUEUED: Final = "Queued"  # ready, waits for a free instance of its compute
STARTING: Final = "Starting"  # an instance is taken, the process is being started
RUNNING: Final = "Running"
FINALIZING: Final = "Finalizing"  # the process has ended, outputs and logs are being recorded
CANCEL_REQUESTED: Final = "CancelRequested"
COMPLETED: Final = "Completed"
FAILED: Final = "Failed"
CANCELED: Final = "Canceled"

TERMINAL: Final = frozenset({COMPLETED, FAILED, CANCELED})
OPEN: Final = frozenset(
    {NOT_STARTED, PREPARING, QUEUED, STARTING, RUNNING, FINALIZING, CANCEL_REQUESTED}
)  # fmt: skip
# An instance of the compute is taken from Starting until the process is known to have ended.
HOLDS_AN_INSTANCE: Final = frozenset({STARTING, RUNNING, CANCEL_REQUESTED})

_ENDS = frozenset({FAILED, CANCELED})

# A restarted server prepares again what was only prepared, hence the ways back to Preparing.
LEGAL: Final[Mapping[str, frozenset[str]]] = {
    NOT_STARTED: frozenset({PREPARING, RUNNING, CANCEL_REQUESTED}) | _ENDS,  # a pipeline runs at once
    PREPARING: frozenset({QUEUED, RUNNING, CANCEL_REQUESTED}) | _ENDS,
    QUEUED: frozenset({PREPARING, STARTING, CANCEL_REQUESTED}) | _ENDS,
    STARTING: frozenset({RUNNING, PREPARING, FINALIZING, CANCEL_REQUESTED}) | _ENDS,
    RUNNING: frozenset({FINALIZING, CANCEL_REQUESTED}) | TERMINAL,
    FINALIZING: TERMINAL,
    CANCEL_REQUESTED: frozenset({FINALIZING}) | TERMINAL,
    COMPLETED: frozenset(),
    FAILED: frozenset(),
    CANCELED: frozenset(),
}


def may_follow(status: str, following: str) -> bool:
    """Whether a job in `status` may come to `following`. A status may always stay what it is."""
    return following == status or following in LEGAL[status]
