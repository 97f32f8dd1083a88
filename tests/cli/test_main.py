"""From words to exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock import __version__
from penstock.cli import main
from penstock.settings import Home
from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

JOBS = "/api/v1/workspaces/default/jobs"


def test_the_version_is_one_line(penstock: Penstock) -> None:
    """And an object as a command."""
    assert penstock("--version").out == f"penstock {__version__}\n"
    assert json.loads(penstock("version").out)["penstock"] == __version__


@pytest.mark.parametrize("line", ["", "--help", "-h", "help", "ml", "ml --help", "--debug"])
def test_help_is_a_result(penstock: Penstock, line: str) -> None:
    """Exit code 0, on stdout."""
    ran = penstock(line)

    assert ran.code == 0
    assert "penstock demo" in ran.out
    assert ran.err == ""


def test_a_noun_alone_is_not_enough(penstock: Penstock) -> None:
    """Its commands, on stderr, and exit code 2; asked for with --help it is a result."""
    ran, asked = penstock("job"), penstock("job --help")

    assert (ran.code, ran.out) == (2, "")
    assert (asked.code, asked.out) == (0, ran.err)
    assert penstock("help job").out == asked.out


@pytest.mark.parametrize(
    "line", ["help job create", "job create --help", "job create -h", "ml job create --hel"]
)
def test_every_way_to_a_commands_help(penstock: Penstock, line: str) -> None:
    """All the same."""
    assert penstock(line).out.startswith("penstock job create: Run a job.")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("jbo show -n x", 2, "did you mean `penstock job`?"),
        ("environmentt list", 2, "did you mean `penstock environment`?"),
        ("job shoow -n x", 2, "did you mean `penstock job show`?"),
        ("xyzzy", 2, "`penstock --help` lists"),
        ("job xyzzy", 2, "its commands: create, validate, list"),
        ("--bogus", 2, "not a penstock command"),
        ("online-endpoint create -f x", 1, "`online-endpoint` is not supported yet"),
        ("ml schedule list", 1, "`schedule` is not supported yet"),
        ("component init", 1, "`penstock component init` is not supported yet"),
        ("job connect-ssh -n x", 1, "`penstock job connect-ssh` is not supported yet"),
        ("model package -n x", 1, "`penstock model package` is not supported yet"),
        ("job show", 2, "required: --name/-n"),
        ("job show -n x --qurey y", 2, "did you mean `--query`?"),
        ("job show -n x --query '['", 2, "invalid JMESPath"),
    ],
)
def test_what_is_mistyped_or_not_there_yet(penstock: Penstock, line: str, code: int, words: str) -> None:
    """Edge case 17.5. The nearest one, exit code 2; something of az that is not here yet, exit code 1."""
    ran = penstock(line)

    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err


def test_az_ml_is_the_same_command(penstock: Penstock, fake: FakeServer) -> None:
    """`penstock ml job list`, nouns in capitals, and global flags before the noun."""
    fake.on("GET", JOBS, [])

    assert penstock("ml job list").out == "[]\n"
    assert penstock("Job List").out == "[]\n"
    assert penstock("-o tsv --debug job list").code == 0


def test_something_that_does_not_exist_is_exit_code_3(penstock: Penstock, fake: FakeServer) -> None:
    """So that `show || create` works; stdout stays empty."""
    ran = penstock("job show -n x --query status -o tsv")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("error: nothing at")


def test_a_query_is_applied_to_every_format(penstock: Penstock, fake: FakeServer) -> None:
    """The name, bare, and nothing else."""
    fake.on("GET", f"{JOBS}/x", {"name": "x", "status": "Running"})

    assert penstock("job show -n x --query name -o tsv").out == "x\n"
    assert penstock("job show -n x --query name").out == '"x"\n'
    assert penstock("job show -n x --query nothing -o tsv").out == ""
    assert penstock("job show -n x -o none").out == ""


def test_the_workspace_comes_from_flag_variable_defaults(
    penstock: Penstock, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edge case 15.3. In this order."""
    penstock("configure --defaults workspace=kept")
    penstock("job list")
    monkeypatch.setenv("PENSTOCK_WORKSPACE", "exported")
    penstock("job list")
    penstock("job list --workspace typed")

    assert [request.path.split("/")[4] for request in fake.requests] == ["kept", "exported", "typed"]


@pytest.mark.parametrize("flag", ["--name", "--file", "--description"])
def test_an_argument_that_is_no_text_is_refused(penstock: Penstock, fake: FakeServer, flag: str) -> None:
    """Bytes of another encoding, wherever they stand; nothing is asked of the server."""
    ran = penstock(f"environment create {flag} caf\udce9")

    assert ran.code == 2
    assert "argument 'caf\\udce9' is not text in UTF-8" in ran.err
    assert fake.requests == []


def test_an_unexpected_error_is_admitted(
    penstock: Penstock, monkeypatch: pytest.MonkeyPatch, fake: FakeServer
) -> None:
    """No traceback unless it is asked for."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("penstock.cli.render.render", fail)
    fake.on("GET", JOBS, [])

    ran, debugged = penstock("job list"), penstock("job list --debug")

    assert ran.code == debugged.code == 1
    assert "ZeroDivisionError: oops" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in debugged.err


def test_only_errors_are_shown_where_only_errors_are_wanted(penstock: Penstock, fake: FakeServer) -> None:
    """Warnings and talk are silent; errors are not."""
    fake.on("GET", JOBS, [{"name": str(number)} for number in range(50)])

    assert "only the newest 50" in penstock("job list").err
    assert penstock("job list --only-show-errors").err == ""
    assert penstock("job show -n x --only-show-errors").err.startswith("error:")


def test_windows_is_told_about_wsl(penstock: Penstock, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, whatever was typed."""
    monkeypatch.setattr(main.os, "name", "nt")

    ran = penstock("job list")

    assert ran.code == 1
    assert "WSL" in ran.err


def test_ctrl_c_is_no_traceback(
    penstock: Penstock, monkeypatch: pytest.MonkeyPatch, fake: FakeServer
) -> None:
    """Exit code 1, as az has it."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("penstock.cli.render.render", interrupt)
    fake.on("GET", JOBS, [])

    ran = penstock("job list")

    assert ran.code == 1
    assert ran.err == "\ninterrupted\n"


def in_a_process(line: list[str], **more: object) -> "subprocess.CompletedProcess[bytes]":
    environ = {**os.environ, **{name: str(value) for name, value in more.items()}}
    command = [sys.executable, "-m", "penstock", *line]
    return subprocess.run(command, capture_output=True, env=environ, check=False, timeout=60)


@pytest.mark.parametrize(
    "environ",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"TZ": "Nowhere/Odd+17:30", "COLUMNS": "20"},
        {"TZ": "", "COLUMNS": "0", "TERM": ""},
        {"NO_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "notanumber"},
    ],
)
def test_it_works_in_odd_environments(fake: FakeServer, environ: dict[str, str]) -> None:
    """Locales without our characters, no time zone, a narrow terminal: the result arrives, and can be read as JSON."""
    fake.on("GET", f"{JOBS}/x", {"name": "x", "description": "größer → ✓"})

    ran = in_a_process(["job", "show", "-n", "x"], **environ)
    helped = in_a_process(["job", "create", "--help"], **environ)

    assert ran.returncode == 0, ran.stderr
    encoding = environ.get("PYTHONIOENCODING", "utf-8")
    assert json.loads(ran.stdout.decode(encoding).replace("\\x", "\\u00"))["name"] == "x"
    assert helped.returncode == 0
    assert ran.stderr == helped.stderr == b""


def test_a_reader_that_leaves_early_is_no_error(fake: FakeServer) -> None:
    """`penstock job list | head -1`."""
    fake.on("GET", JOBS, [{"name": "x" * 1000} for _ in range(500)])
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", "job", "list"], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    os.read(read, 10)
    os.close(read)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert err == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_result_that_finds_no_room_is_an_error(fake: FakeServer) -> None:
    """`penstock job list > file` on a full disk: no fault of ours, one exit code, and no word from Python itself."""
    fake.on("GET", JOBS, [])

    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "penstock", "job", "list"], check=False, timeout=60, stdout=full, stderr=subprocess.PIPE
        )  # fmt: skip

    assert ran.returncode == 1
    assert ran.stderr == (
        b"error: the result cannot be written: No space left on device\n  what the command does is done\n"
    )


def test_no_stdout_at_all_is_no_error(fake: FakeServer) -> None:
    """`penstock job list >&-`."""
    fake.on("GET", JOBS, [])

    ran = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m penstock job list >&- 2>&-"],
        check=False,
        timeout=60,
        capture_output=True,
    )

    assert ran.returncode == 0


def test_a_damaged_config_is_named(penstock: Penstock, home: Home) -> None:
    """With the way out."""
    home.path.mkdir(parents=True)
    home.config.write_text("{")

    ran = penstock("job list")

    assert ran.code == 1
    assert str(home.config) in ran.err
    assert "hint: remove it" in ran.err


def test_the_current_folder_may_be_gone(fake: FakeServer, tmp_path: Path) -> None:
    """A shell that stands in a deleted folder can still ask."""
    fake.on("GET", JOBS, [])
    gone = tmp_path / "gone"

    ran = subprocess.run(
        [
            "sh",
            "-c",
            f"mkdir {gone} && cd {gone} && rmdir {gone} && {sys.executable} -P -m penstock job list",
        ],
        check=False,
        timeout=60,
        capture_output=True,
    )

    assert ran.stdout == b"[]\n", ran.stderr
