"""Every compute keeps the same promises; the local one under every interpreter of this machine."""

from pathlib import Path

import pytest

from penstock.compute.interface import Compute, Finished, Launch
from penstock.compute.local import LocalCompute
from penstock.testing.compute_contract import ComputeContract
from penstock.testing.fake_compute import FakeCompute
from penstock.testing.processes_contract import SeveralProcessesContract
from tests.compute.interpreters import interpreters


def _as_the_contract_asks(launch: Launch) -> Finished | None:
    return Finished(3, None, "exited", 1.0, 2.0) if launch.argv[-1] == "exit 3" else None


class TestFakeCompute(ComputeContract):
    """The fake that other rooms test with behaves as the real ones do."""

    @pytest.fixture
    def compute(self) -> Compute:
        """One that ends what the contract expects to end."""
        return FakeCompute(_as_the_contract_asks)

    def test_a_test_can_say_how_a_step_ends(self, launch) -> None:
        """`finish` ends a step by its id, and the first answer stands."""
        compute = FakeCompute()
        handle = compute.start(launch(("anything",)))

        compute.finish(handle.id, 7)
        compute.finish(handle.id, None, "lost")

        assert compute.poll(handle) == Finished(7, None, "exited", 0.0, 0.0)


class TestLocalCompute(SeveralProcessesContract):
    """Processes of this machine, their small parent run by each interpreter."""

    @pytest.fixture(
        params=interpreters(), ids=lambda path: path.resolve().parts[-3] + "-" + path.resolve().name
    )
    def python(self, request: pytest.FixtureRequest) -> Path:
        """The interpreter that runs the small parent."""
        return request.param

    @pytest.fixture
    def compute(self) -> Compute:
        """One that is impatient, to keep the tests short."""
        return LocalCompute(grace=0.3)
