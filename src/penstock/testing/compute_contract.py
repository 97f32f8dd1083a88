"""What every compute has to do, as tests. Subclass one of the two and say how to make the compute.

class TestMyCompute(CommandComputeContract):
    @pytest.fixture
    def compute(self):
        return MyCompute(...)
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from penstock.compute.interface import Compute, Finished, Handle, Launch
from penstock.errors import Conflict

_PRINT_ARGUMENTS = "import os, sys; os.write(1, b'\\0'.join(os.fsencode(a) for a in sys.argv[1:]))"
_PRINT_ENVIRONMENT = (
    "import os; os.write(1, b'\\0'.join(k + b'=' + v for k, v in sorted(os.environb.items())))"
)


class Launcher(Protocol):
    """Makes the launch of a command in a fresh folder."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        log_limit: int = 1 << 20,
        folder: Path | None = None,
    ) -> Launch: ...


def wait_until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Poll until the condition holds; fail after a deadline that no machine should need."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def end_of(compute: Compute, handle: Handle, *, seconds: float = 30.0) -> Finished:
    """Follow a step to its end."""
    wait_until(lambda: compute.poll(handle) is not None, seconds=seconds)
    finished = compute.poll(handle)
    assert finished is not None
    return finished


class ComputeContract:
    """Promises that hold for any compute, even one that runs nothing."""

    exiting_with_three: tuple[str, ...] = ("/bin/sh", "-c", "exit 3")
    going_on: tuple[str, ...] = ("/bin/sh", "-c", "sleep 600")

    @pytest.fixture
    def python(self) -> Path:
        """The interpreter that runs the small parent."""
        return Path(sys.executable)

    @pytest.fixture
    def launch(self, tmp_path: Path, python: Path) -> Launcher:
        """How the tests make a launch; each in a folder of its own."""

        def make(
            argv: Sequence[str],
            *,
            env: Mapping[str, str] | None = None,
            timeout: float | None = None,
            log_limit: int = 1 << 20,
            folder: Path | None = None,
        ) -> Launch:
            number = len(list(tmp_path.glob("step-*")))
            mine = folder or tmp_path / f"step-{number}"
            (mine / "work").mkdir(parents=True, exist_ok=True)
            return Launch(
                id=mine.name,
                folder=mine / "state",
                argv=tuple(argv),
                env={"PATH": os.environ["PATH"]} if env is None else env,
                cwd=mine / "work",
                log=mine / "log.txt",
                python=python,
                timeout=timeout,
                log_limit=log_limit,
                fence=1,
            )

        return make

    def test_a_step_ends_with_its_commands_exit_code(self, compute: Compute, launch: Launcher) -> None:
        """The exit code is the command's, the reason says that it ended by itself, and time goes forward."""
        handle = compute.start(launch(self.exiting_with_three))

        finished = end_of(compute, handle)

        assert (finished.exit_code, finished.signal, finished.reason) == (3, None, "exited")
        assert not finished.succeeded
        assert finished.started_at <= finished.ended_at

    def test_a_finished_step_gives_the_same_answer_for_ever(self, compute: Compute, launch: Launcher) -> None:
        """Neither asking again nor a late cancel changes how a step ended."""
        handle = compute.start(launch(self.exiting_with_three))
        first = end_of(compute, handle)

        compute.cancel(handle)

        assert compute.poll(handle) == first
        assert compute.poll(handle) == first

    def test_a_running_step_is_none_until_it_is_canceled(self, compute: Compute, launch: Launcher) -> None:
        """`poll` says nothing while a step runs, and `canceled` once it was asked to end."""
        handle = compute.start(launch(self.going_on))
        assert compute.poll(handle) is None

        compute.cancel(handle)
        compute.cancel(handle)

        assert end_of(compute, handle).reason == "canceled"

    def test_a_folder_is_used_once(self, compute: Compute, launch: Launcher) -> None:
        """A second start in a folder is refused while the first runs and after it ended."""
        first = launch(self.going_on)
        handle = compute.start(first)

        with pytest.raises(Conflict, match="before"):
            compute.start(replace(first, fence=2))
        compute.cancel(handle)
        end_of(compute, handle)

        with pytest.raises(Conflict, match="before"):
            compute.start(first)

    def test_a_started_step_is_found_again_by_its_folder(self, compute: Compute, launch: Launcher) -> None:
        """`adopt` gives the handle that `start` gave, running or ended."""
        waiting = launch(self.going_on)
        handle = compute.start(waiting)

        assert compute.adopt(waiting.folder) == handle
        compute.cancel(handle)
        end_of(compute, handle)

        assert compute.adopt(waiting.folder) == handle

    def test_a_folder_without_a_step_has_nothing_to_adopt(self, compute: Compute, tmp_path: Path) -> None:
        """An empty folder and one that does not exist are answered alike."""
        assert compute.adopt(tmp_path) is None
        assert compute.adopt(tmp_path / "absent") is None

    def test_a_handle_survives_the_database(self, compute: Compute, launch: Launcher) -> None:
        """A handle that went through its record is as good as the first."""
        handle = compute.start(launch(self.exiting_with_three))

        again = Handle.from_record(handle.as_record())

        assert again == handle
        assert end_of(compute, again).exit_code == 3


class CommandComputeContract(ComputeContract):
    """Promises of a compute that really runs commands."""

    def python_command(self, code: str, *arguments: str) -> tuple[str, ...]:
        """A Python one-liner as argv."""
        return (sys.executable, "-S", "-c", code, *arguments)

    @pytest.mark.parametrize(
        "argument",
        [
            "a b",
            "'",
            '"',
            "a\nb",
            ";exit 7",
            "$(exit 7)",
            "`exit 7`",
            "$HOME",
            "-c",
            "--",
            "",
            "*",
            "\\",
            "é☃𝄞",
            "\t",
        ],
    )
    def test_reliability_8_an_argument_arrives_byte_exact(
        self, compute: Compute, launch: Launcher, argument: str
    ) -> None:
        """No shell of ours looks at argv: quotes, newlines, `;`, `$()` and a leading `-` are only text."""
        asked = launch(self.python_command(_PRINT_ARGUMENTS, argument, "end"))

        finished = end_of(compute, compute.start(asked))

        assert finished.succeeded
        assert asked.log.read_bytes() == os.fsencode(argument) + b"\0end"

    def test_the_command_gets_the_environment_of_the_launch_and_one_variable_more(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """Nothing of the server's environment leaks in, newlines survive, and PENSTOCK_STEP marks the step."""
        asked = launch(self.python_command(_PRINT_ENVIRONMENT), env={"A": "1\n2", "Ü": "é=☃", "EMPTY": ""})

        finished = end_of(compute, compute.start(asked))

        entries = asked.log.read_bytes().split(b"\0")
        known = [line for line in entries if not line.startswith((b"PENSTOCK_STEP=", b"LC_CTYPE="))]
        assert finished.succeeded
        assert sorted(known) == sorted([b"A=1\n2", "Ü=é=☃".encode(), b"EMPTY="])
        assert any(line.startswith(b"PENSTOCK_STEP=") for line in entries)

    def test_the_command_runs_in_its_working_folder_with_nothing_to_read(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """The working folder is the launch's, and standard input is at its end."""
        asked = launch(("/bin/sh", "-c", "pwd; cat; echo end"))

        end_of(compute, compute.start(asked))

        assert asked.log.read_text() == f"{asked.cwd}\nend\n"

    def test_both_outputs_go_to_the_log_in_order_and_byte_exact(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """Standard output and standard error share one log, appended to what is there."""
        asked = launch(("/bin/sh", "-c", r"printf 'a\377\0'; printf 'b\r' >&2; printf c"))
        asked.log.write_bytes(b"before\n")

        end_of(compute, compute.start(asked))

        assert asked.log.read_bytes() == b"before\na\xff\0b\rc"

    def test_the_log_can_be_read_while_the_step_runs(self, compute: Compute, launch: Launcher) -> None:
        """What the command prints is in the log at once, not when it ends."""
        asked = launch(("/bin/sh", "-c", "echo alive; sleep 600"))
        handle = compute.start(asked)

        wait_until(lambda: asked.log.exists() and asked.log.read_bytes() == b"alive\n")

        assert compute.poll(handle) is None
        compute.cancel(handle)
        end_of(compute, handle)

    def test_a_command_that_does_not_exist_ends_with_127_and_says_so(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """The log and the detail both name what could not be run."""
        asked = launch(("no-such-command-anywhere", "x"))

        finished = end_of(compute, compute.start(asked))

        assert (finished.exit_code, finished.reason) == (127, "exited")
        assert "no-such-command-anywhere" in (finished.detail or "")
        assert "no-such-command-anywhere" in asked.log.read_text()

    def test_a_command_that_may_not_be_executed_ends_with_126(
        self, compute: Compute, launch: Launcher
    ) -> None:
        """A file without permission to execute is another mistake than a missing one."""
        asked = launch(("./data.txt",))
        (asked.cwd / "data.txt").write_text("not a program")

        finished = end_of(compute, compute.start(asked))

        assert finished.exit_code == 126
        assert "Permission denied" in (finished.detail or "")

    def test_a_missing_working_folder_is_named(self, compute: Compute, launch: Launcher) -> None:
        """The user sees which folder it was."""
        asked = launch(self.exiting_with_three)
        asked.cwd.rmdir()

        finished = end_of(compute, compute.start(asked))

        assert finished.exit_code == 126
        assert str(asked.cwd) in (finished.detail or "")

    def test_a_killed_command_says_which_signal_it_was(self, compute: Compute, launch: Launcher) -> None:
        """SIGKILL usually means that memory ran out: the detail says so."""
        finished = end_of(compute, compute.start(launch(("/bin/sh", "-c", "kill -9 $$"))))

        assert (finished.exit_code, finished.signal, finished.reason) == (137, 9, "exited")
        assert "memory" in (finished.detail or "")

    def test_a_time_limit_ends_the_command(self, compute: Compute, launch: Launcher) -> None:
        """The reason is the time limit, whatever the command did with SIGTERM."""
        finished = end_of(compute, compute.start(launch(self.going_on, timeout=0.2)))

        assert finished.reason == "timeout"
        assert finished.signal == 15
        assert "time limit of 0.2 s" in (finished.detail or "")

    def test_a_time_limit_lets_the_command_say_goodbye(self, compute: Compute, launch: Launcher) -> None:
        """SIGTERM comes first, and what is printed on it is in the log."""
        asked = launch(
            ("/bin/sh", "-c", "trap 'echo bye; exit 5' TERM; while :; do sleep 0.02; done"), timeout=0.5
        )

        finished = end_of(compute, compute.start(asked))

        assert (finished.exit_code, finished.reason) == (5, "timeout")
        assert asked.log.read_bytes().endswith(b"bye\n")

    def test_a_command_that_ignores_sigterm_is_killed(self, compute: Compute, launch: Launcher) -> None:
        """After a grace SIGKILL follows."""
        asked = launch(("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"))
        handle = compute.start(asked)
        wait_until(lambda: asked.log.exists() and asked.log.read_bytes() == b"ready\n")

        compute.cancel(handle)

        finished = end_of(compute, handle)
        assert (finished.signal, finished.reason) == (9, "canceled")

    def test_a_long_log_keeps_its_first_and_last_half(self, compute: Compute, launch: Launcher) -> None:
        """One line in between says how much was left out, and nothing that is kept is changed."""
        asked = launch(
            self.python_command("import sys\nfor n in range(200000): sys.stdout.write('%09d\\n' % n)"),
            log_limit=20_000,
        )

        finished = end_of(compute, compute.start(asked))

        log = asked.log.read_text()
        numbers = [int(line) for line in log.splitlines() if line.isdigit()]
        assert log.startswith("".join(f"{n:09d}\n" for n in range(1000)))
        assert numbers[-900:] == list(range(199_100, 200_000))
        assert f"penstock: {2_000_000 - 10 * len(numbers)} bytes of the log were left out here\n" in log
        assert len(log) < 20_500
        assert "log was cut" in (finished.detail or "")

    @pytest.mark.parametrize("length", [0, 1, 4_999, 5_000, 5_001, 9_999, 10_000])
    def test_a_log_within_its_limit_is_whole(self, compute: Compute, launch: Launcher, length: int) -> None:
        """Up to the last byte of the limit nothing is cut and nothing is added."""
        asked = launch(self.python_command(f"import sys; sys.stdout.write('x' * {length})"), log_limit=10_000)

        finished = end_of(compute, compute.start(asked))

        assert asked.log.read_bytes() == b"x" * length
        assert finished.detail is None

    def test_what_is_left_running_ends_with_the_command(self, compute: Compute, launch: Launcher) -> None:
        """A background child does not outlive its step, nor keep it from ending."""
        asked = launch(("/bin/sh", "-c", "sleep 600 & echo $!; exit 0"))

        finished = end_of(compute, compute.start(asked))

        assert finished.succeeded
        assert not is_there(int(asked.log.read_text()))

    def test_reliability_22_cancel_reaches_every_descendant(self, compute: Compute, launch: Launcher) -> None:
        """Grandchildren that ignore SIGTERM, start sessions of their own, or fork twice and lose their environment."""
        stubborn = "trap '' TERM; echo $$; while :; do sleep 0.02; done"
        asked = launch(
            (
                "/bin/sh",
                "-c",
                "trap '' TERM\n"
                '/bin/sh -c "$0" & \n'
                'setsid /bin/sh -c "$0" & \n'
                '(setsid env -i PATH="$PATH" /bin/sh -c "$0" &) \n'
                '/bin/sh -c "$0"',
                stubborn,
            )
        )
        handle = compute.start(asked)
        wait_until(lambda: len(pids_in(asked.log)) == 4)

        compute.cancel(handle)

        wait_until(lambda: not any(map(is_there, pids_in(asked.log))), seconds=5.0)
        finished = end_of(compute, handle)
        assert (finished.signal, finished.reason) == (9, "canceled")


def pids_in(log: Path) -> list[int]:
    """The pids that a command has printed so far."""
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def is_there(pid: int) -> bool:
    """Whether a process runs under this pid; a zombie does not."""
    from penstock.compute.processes import identity_of

    return identity_of(pid) is not None
