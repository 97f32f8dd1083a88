"""The log of a step that prints without end."""

import pytest

from penstock.compute.local import LocalCompute
from penstock.errors import PenstockError
from penstock.testing.compute_contract import end_of
from tests.compute.steps import Launcher


def test_a_gigabyte_of_log_is_bounded(compute: LocalCompute, launch: Launcher) -> None:
    """The file never grows past its limit by more than the lines that say so, nor does anything beside it."""
    asked = launch("head -c 1000000000 /dev/zero | tr '\\0' 'x'; echo; echo last", log_limit=2_000_000)

    finished = end_of(compute, compute.start(asked), seconds=120)

    log = asked.log.read_bytes()
    assert finished.succeeded
    assert len(log) < 2_001_000
    assert log.startswith(b"x" * 1_000_000 + b"\npenstock: ")
    assert log.endswith(b"x\nlast\n")
    assert sorted(path.name for path in asked.cwd.iterdir()) == ["log.txt", "state"]


def test_a_log_that_cannot_be_opened_is_an_error_of_start(compute: LocalCompute, launch: Launcher) -> None:
    """And nothing half-made stays behind."""
    asked = launch("echo run >> runs")
    asked.log.mkdir()

    with pytest.raises(PenstockError, match="cannot be started") as caught:
        compute.start(asked)

    assert "log.txt" in "".join(caught.value.details)
    assert list(asked.folder.iterdir()) == []
