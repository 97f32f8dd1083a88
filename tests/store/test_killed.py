"""A server that is killed in the middle of its work loses nothing that it had answered."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.store.database import open_database

# Commits a job, its change of status and the events of both, again and again; says a name when it is committed.
_WRITER = """
import sys
from pathlib import Path
from penstock.store.database import open_database
from penstock.testing.records import a_job, a_workspace
database, prefix = open_database(Path(sys.argv[1])), sys.argv[2]
with database.transaction() as tx:
    if tx.workspaces.find("demo") is None:
        tx.workspaces.create(a_workspace())
number = 0
while True:
    name = f"{prefix}-{number}"
    with database.transaction() as tx:
        tx.jobs.insert(a_job(name, status="Running"))
        tx.events.append("demo", 1.0, "job.status", f"job/{name}", {"status": "Running"})
    with database.transaction() as tx:
        tx.jobs.update("demo", name, status="Completed")
        tx.events.append("demo", 1.0, "job.status", f"job/{name}", {"status": "Completed"})
    print(name, flush=True)
    number += 1
"""


def test_reliability_18_kill_nine_loses_no_finished_work(tmp_path: Path) -> None:
    """Killed five times at any moment: each answered job is Completed, every event has its state, no number is missing."""
    path, answered = tmp_path / "penstock.db", []
    for attempt in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), f"run{attempt}"], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(10 + 7 * attempt):
                answered.append(writer.stdout.readline().strip())
            os.kill(writer.pid, signal.SIGKILL)
            answered += writer.stdout.read().split()

    database = open_database(path)
    with database.reading() as tx:
        jobs = {job.name: job.status for job in tx.jobs.list("demo")}
        events = tx.events.after("demo", 0, 100_000)
    database.close()

    assert len(answered) >= 5 * 10
    assert all(jobs[name] == "Completed" for name in answered)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    last_told = {event.subject.removeprefix("job/"): event.body["status"] for event in events}
    assert last_told == jobs


@pytest.mark.parametrize("attempt", range(3))
def test_a_start_that_is_killed_can_be_repeated(tmp_path: Path, attempt: int) -> None:
    """However far the first migration has come."""
    path = tmp_path / "penstock.db"
    script = "import sys; from pathlib import Path; from penstock.store.database import open_database; "
    with subprocess.Popen(
        [sys.executable, "-c", script + "open_database(Path(sys.argv[1]))", str(path)],
        stdout=subprocess.DEVNULL,
    ) as starter:
        while not path.exists() and starter.poll() is None:  # the file is made right before the migration
            time.sleep(0.001)
        time.sleep(0.02 * attempt)
        os.kill(starter.pid, signal.SIGKILL)

    open_database(path).close()
