"""What a compute has to do with a launch of several processes, as tests; beside what it does with one.

class TestMyCompute(SeveralProcessesContract):
    @pytest.fixture
    def compute(self):
        return MyCompute(...)
"""

from collections.abc import Mapping
from dataclasses import replace

from penstock.compute.interface import Compute, Launch, Process, ProcessEnd, port
from penstock.testing.compute_contract import (
    CommandComputeContract,
    Launcher,
    end_of,
    is_there,
    pids_in,
    wait_until,
)

# The first listens at the first port until all others have called, however late it is.
_RENDEZVOUS = """
import os, socket, time
ports, rank, count = os.environ["PORTS"].split(), int(os.environ["RANK"]), int(os.environ["COUNT"])
place = ("127.0.0.1", int(ports[0]))
if rank == 0:
    with socket.create_server(place) as server:
        callers = {server.accept()[0].recv(9) for _ in range(count - 1)}
    assert len(callers) == count - 1
else:
    while True:
        try:
            with socket.create_connection(place) as caller:
                caller.sendall(str(rank).encode())
            break
        except OSError:
            time.sleep(0.01)
print("met", *ports)
"""


class SeveralProcessesContract(CommandComputeContract):
    """Promises about the processes of one launch."""

    def test_a_command_runs_once_for_each_process_with_a_log_of_its_own(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """Each has the launch's variables and its own; nothing of how they are started is seen by them."""
        asked = several(
            launch(("/bin/sh", "-c", "echo $A $RANK; env | grep -c ^PENSTOCK_")), 3, env={"A": "x"}
        )

        finished = end_of(compute, compute.start(asked))

        assert finished.succeeded
        assert finished.processes == tuple(ProcessEnd(f"process_{n}", 0, None, False) for n in range(3))
        assert [each.log.read_text() for each in asked.processes] == [f"x {n}\n1\n" for n in range(3)]

    def test_processes_meet_at_a_port_that_is_free(self, compute: Compute, launch: Launcher) -> None:
        """All are told the same ports, no two groups get the same ones, and whoever listens there is reached."""
        asked = [several(launch(self.python_command(_RENDEZVOUS)), 3, ports=2) for _ in range(4)]

        handles = [compute.start(each) for each in asked]

        assert [end_of(compute, handle).exit_code for handle in handles] == [0] * 4
        told = [each.log.read_text().split() for each in asked]
        assert [words[0] for words in told] == ["met"] * 4
        ports = [words[1:] for words in told]
        assert len({number for numbers in ports for number in numbers}) == 8
        for each, numbers in zip(asked, ports, strict=True):
            assert all(process.log.read_text().split()[-2:] == numbers for process in each.processes)

    def test_a_process_that_fails_ends_the_others(self, compute: Compute, launch: Launcher) -> None:
        """The exit code is that of the one that failed, which is named; the others were stopped."""
        script = 'trap "echo bye; exit 9" TERM; [ $RANK = 1 ] && exit 3; while :; do sleep 0.02; done'
        asked = several(launch(("/bin/sh", "-c", script)), 3)

        finished = end_of(compute, compute.start(asked))

        assert (finished.exit_code, finished.signal, finished.reason) == (3, None, "exited")
        assert finished.failed_process == ProcessEnd("process_1", 3, None, False)
        assert [each.stopped for each in finished.processes] == [True, False, True]
        assert "process_1 failed with exit code 3; ends process_0, process_2" in asked.log.read_text()

    def test_a_process_that_is_killed_fails_the_step(self, compute: Compute, launch: Launcher) -> None:
        """The signal is that of the process, and those that ignore SIGTERM are killed."""
        script = (
            'trap "" TERM; touch $RANK; while :; do [ $RANK = 1 ] && [ -e 0 ] && kill -9 $$; sleep 0.02; done'
        )
        asked = several(launch(("/bin/sh", "-c", script)), 2)

        finished = end_of(compute, compute.start(asked))

        assert (finished.exit_code, finished.signal, finished.reason) == (137, 9, "exited")
        assert "memory" in (finished.detail or "")
        assert [each.signal for each in finished.processes] == [9, 9]

    def test_a_process_that_serves_the_others_ends_with_them(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """A parameter server never ends by itself; that it is ended is no failure."""
        asked = several(launch(("/bin/sh", "-c", '[ "$RANK" = 2 ] && exec sleep 600; exit 0')), 3)
        serving = replace(asked.processes[2], until_others_end=True)
        asked = replace(asked, processes=(*asked.processes[:2], serving))

        finished = end_of(compute, compute.start(asked))

        assert finished.succeeded
        assert [each.stopped for each in finished.processes] == [False, False, True]

    def test_a_process_that_serves_the_others_may_not_fail(self, compute: Compute, launch: Launcher) -> None:
        """Without it the others would wait for ever."""
        asked = several(launch(("/bin/sh", "-c", '[ "$RANK" = 0 ] && exec sleep 600; exit 4')), 2)
        serving = replace(asked.processes[1], until_others_end=True)

        finished = end_of(compute, compute.start(replace(asked, processes=(asked.processes[0], serving))))

        assert (finished.exit_code, finished.failed_process) == (4, ProcessEnd("process_1", 4, None, False))

    def test_cancel_ends_every_process(self, compute: Compute, launch: Launcher) -> None:
        """Also those that ignore SIGTERM, and their children in sessions of their own."""
        script = "trap '' TERM; echo $$; setsid sleep 600 & echo $!; while :; do sleep 0.02; done"
        asked = several(launch(("/bin/sh", "-c", script)), 2)
        handle = compute.start(asked)
        logs = [each.log for each in asked.processes]
        wait_until(lambda: all(len(pids_in(log)) == 2 for log in logs))

        compute.cancel(handle)

        wait_until(lambda: not any(is_there(pid) for log in logs for pid in pids_in(log)), seconds=5.0)
        assert end_of(compute, handle).reason == "canceled"

    def test_a_time_limit_ends_every_process(self, compute: Compute, launch: Launcher) -> None:
        """What each prints on SIGTERM is in its log."""
        script = "trap 'echo bye; exit 5' TERM; while :; do sleep 0.02; done"
        asked = replace(several(launch(("/bin/sh", "-c", script)), 2), timeout=0.5)

        finished = end_of(compute, compute.start(asked))

        assert finished.reason == "timeout"
        logs = [each.log.read_text() for each in asked.processes]
        assert all("bye\n" in log for log in logs), logs

    def test_the_logs_of_all_processes_together_keep_the_limit(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """Each has an equal share, and says what was left out."""
        asked = several(
            launch(self.python_command("print('x' * 99 + chr(10), end='') or print('y' * 100_000)")), 2
        )

        finished = end_of(compute, compute.start(replace(asked, log_limit=20_000)))

        assert finished.succeeded
        for each in asked.processes:
            assert "bytes of the log were left out here" in each.log.read_text()
            assert each.log.stat().st_size < 10_500


def several(launch: Launch, count: int, *, ports: int = 0, env: Mapping[str, str] | None = None) -> Launch:
    """The launch, run by so many processes that know their rank, and the ports."""
    variables = {"PORTS": " ".join(port(number) for number in range(ports)), "COUNT": str(count)}
    processes = tuple(
        Process(
            name=f"process_{rank}",
            env={**variables, "RANK": str(rank)},
            log=launch.log if rank == 0 else launch.log.with_name(f"log_{rank}.txt"),
        )
        for rank in range(count)
    )
    return replace(launch, processes=processes, ports=ports, env={**launch.env, **(env or {})})
