"""What `az` does not serve: the real `az` gets it as it is, or it is refused by name."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from penstock.az.refusals import REFUSALS, refusal_of
from penstock.az.registry import GROUPS
from penstock.cli import az_script
from penstock.settings import Home
from tests.az.conftest import Az, Shell, executable
from tests.az.without_az import SYSTEM, path_without_az

# Says everything that it was given.
REAL = """\
#!/bin/sh
echo "real $0"
for word in "$@"; do echo "[$word]"; done
cat
exit 7
"""


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return executable(tmp_path / "real bin" / "az", REAL)


def run(
    shim: Path, *words: str, path: str, stdin: str = "", **env: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [shim, *words], input=stdin, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": path, **env},
    )  # fmt: skip


def test_what_is_not_served_goes_to_the_real_az_unchanged(shim: Path, real: Path) -> None:
    """Words, stdin, stdout and exit code are its own."""
    words = ["storage", "blob", "upload", "--name", "two words", "", "-x", "*", "ü\n"]

    ran = run(shim, *words, path=f"{shim.parent}:{real.parent}:{SYSTEM}", stdin="a\nb")

    lines = "\n".join([f"real {real}", *(f"[{word}]" for word in words), "a", "b"])
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, lines, "")


@pytest.mark.parametrize(
    "line",
    [
        "deployment sub create -f main.bicep", "ad sp create-for-rbac", "extension add -n azure-devops",
        "account get-access-token --query accessToken", "account lock create", "group lock list", "upgrade --yes",
        "somebodys-extension do", "acr build .", "--debug vm list",
    ],
)  # fmt: skip
def test_every_refusal_is_an_offer_to_the_real_az(shim: Path, real: Path, line: str) -> None:
    """Also those that a served group makes while it runs."""
    ran = run(shim, *line.split(), path=f"{real.parent}:{SYSTEM}")

    assert (ran.returncode, ran.stderr) == (7, "")
    assert ran.stdout.splitlines()[1:] == [f"[{word}]" for word in line.split()]


@pytest.mark.parametrize(
    "line",
    ["ml", "ml jub", "ml job list --no-such-flag", "ml online-endpoint list", "ml -h", "--debug ml jub"],
)
def test_az_ml_never_goes_elsewhere(shim: Path, real: Path, line: str) -> None:
    """Not even where it fails: what runs in the cloud costs money."""
    ran = run(shim, *line.split(), path=f"{real.parent}:{SYSTEM}")

    assert "real" not in ran.stdout.splitlines()[:1]
    assert ran.returncode != 7


def test_a_signal_ends_what_was_started(shim: Path, tmp_path: Path) -> None:
    """It is the same process: nobody has to pass a signal on, and a pipe that is closed ends it."""
    executable(tmp_path / "az", "#!/bin/sh\necho up\nexec sleep 60\n")
    environ = {**os.environ, "PATH": f"{tmp_path}:{SYSTEM}"}

    with subprocess.Popen([shim, "vm", "list"], stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM

    executable(tmp_path / "az", "#!/bin/sh\nexec yes\n")
    script = f"'{shim}' vm list | head -1"
    ran = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, env=environ, timeout=60, check=True
    )
    assert (ran.stdout, ran.stderr) == ("y\n", "")


def test_no_shim_hands_over_to_a_shim(shim: Path, real: Path, tmp_path: Path) -> None:
    """Not to itself, not to a link to itself, not to that of another home; with nothing else the command is refused."""
    other = az_script.write(Home(tmp_path / "other home"))
    link = tmp_path / "links" / "az"
    link.parent.mkdir()
    link.symlink_to(shim)
    path = f"{shim.parent}:{link.parent}:{other.parent}::{shim.parent}"

    for az in (shim, link, other):
        alone = run(az, "vm", "list", path=path)
        assert (alone.returncode, alone.stdout) == (1, "")
        assert "`az vm list` is not served by Penstock" in alone.stderr
        assert run(az, "vm", "list", path=f"{path}:{real.parent}:{SYSTEM}").stdout.startswith(
            f"real {real}\n"
        )


@pytest.mark.parametrize("how", ['exec az "$@"', 'az "$@"; exit $?'])
def test_a_wrapper_that_calls_az_does_not_go_round_for_ever(shim: Path, tmp_path: Path, how: str) -> None:
    """It is told that the wrapper finds Penstock's `az` again."""
    wrapper = executable(tmp_path / "az", f"#!/bin/sh\n{how}\n")

    ran = run(shim, "vm", "list", path=f"{shim.parent}:{tmp_path}:{SYSTEM}")

    assert ran.returncode == 1
    assert f"{wrapper} hands its commands back" in ran.stderr


def test_a_real_az_that_cannot_be_run_is_named(shim: Path, tmp_path: Path) -> None:
    """Its interpreter is gone, for example."""
    broken = executable(tmp_path / "az", "#!/no/such/interpreter\n")

    ran = run(shim, "vm", "list", path=str(tmp_path))

    assert ran.returncode == 1
    assert f"cannot run {broken}" in ran.stderr


def test_a_login_says_where_the_real_one_is(shim: Path, real: Path) -> None:
    """Logging in here logs nobody in there."""
    ran = run(shim, "login", path=f"{real.parent}:{SYSTEM}")

    assert ran.returncode == 0
    assert f"for the cloud: {real} login" in ran.stderr


@pytest.mark.parametrize("command", sorted(REFUSALS))
def test_a_refusal_says_what_it_is_and_that_nothing_was_done(command: str) -> None:
    """One line for what it does in the cloud, one for what to do here."""
    error = refusal_of([*command.split(), "do", "--secret", "s3cr3t"])

    assert error.message == f"`az {command} do` is not served by Penstock: nothing was done"
    assert error.details[0].startswith("in the cloud it ")
    assert error.hint
    assert error.exit_code == 1


def test_a_refusal_says_it_on_stderr(az: Az) -> None:
    """Nothing on stdout: what a script puts into a variable stays empty."""
    ran = az(
        "deployment sub create --name x --location y --template-file main.bicep --parameters @param.json"
    )

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: `az deployment sub create` is not served by Penstock: nothing was done\n"
        "  in the cloud it creates cloud resources from a template\n"
        "hint: a workspace is made by `az ml workspace create -n NAME`; nothing else has to be there\n"
    )


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("grup list", "`az group`"), ("acount show", "`az account`"), ("mll job list", "`az ml`"), ("strage blob", "`az storage`"),
        ("account shwo", "`az account show`"), ("extension ad", "`az extension add`"), ("ml jub", "`az ml job`"),
        ("ml job shw", "`az ml job show`"),
    ],
)  # fmt: skip
def test_a_mistyped_command_gets_the_nearest_one(az: Az, line: str, near: str) -> None:
    """In `az`'s own words, with the exit code of a command line that cannot be understood."""
    ran = az(line)

    assert (ran.code, ran.out) == (2, "")
    assert f"did you mean {near}?" in ran.err


@pytest.mark.parametrize("line", ["cdn profile list", "hdinsight list", "security task list"])
def test_a_group_that_no_row_describes_is_refused_all_the_same(az: Az, line: str) -> None:
    """It is no slip: nothing else is offered, and the exit code is that of a refusal."""
    ran = az(line)

    assert (ran.code, ran.out) == (1, "")
    assert f"`az {line}` is not served by Penstock: nothing was done" in ran.err
    assert "did you mean" not in ran.err


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("run submit-pipeline --file p.json", "az ml job create -f job.yml"), ("computetarget list", "az ml compute create"),
        ("folder attach -w w -g g", "az configure --defaults workspace=NAME"), ("pipeline list", "az ml job create -f pipeline.yml"),
        ("service delete --name s", "`online-endpoint`"),
    ],
)  # fmt: skip
def test_the_first_generation_of_az_ml_is_refused_by_name(az: Az, line: str, instead: str) -> None:
    """Old scripts call it; what came in its place is named."""
    ran = az(f"ml {line}")

    assert (ran.code, ran.out) == (1, "")
    assert "belongs to the first generation of `az ml`" in ran.err
    assert f"in its place: {instead}" in ran.err.replace("the groups ", "")


def test_az_alone_lists_what_is_served(az: Az, real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says where the rest goes."""
    text = az("").out

    assert az("--help").out == az("-h").out == az("help").out == text
    assert all(f"  {group} " in text for group in ["ml", *GROUPS])
    assert "refused by name: no other az is installed" in text
    monkeypatch.setenv("PATH", f"{real.parent}:{SYSTEM}")
    assert f"goes to {real}" in az("").out


def test_texts_speak_of_az(az: Az) -> None:
    """Help, usage and hints name commands as they were typed; what is ours alone stays `penstock`."""
    texts = [
        az("ml -h").out,
        az("ml job -h").out,
        az("ml job create -h").out,
        az("ml job show").err,
        az("ml").out,
    ]
    whole = "\n".join(texts)

    assert "usage: az ml job create" in whole
    assert "usage: az ml job show --name NAME" in whole
    assert "az configure --defaults workspace=NAME" in whole
    assert "penstock job" not in whole.replace("`penstock ml job", "")
    assert "penstock check pipeline.yml" in whole
    assert az("account").code == 2
    assert "az account COMMAND" in az("account -h").out
    assert az("help login").out == az("login --help").out


def test_every_command_of_az_is_described(az: Az) -> None:
    """Each with an example that its own grammar understands, and no flag that means two things."""
    import shlex

    from penstock.cli.grammar import GLOBAL_ARGUMENTS, parse

    for group in GROUPS.values():
        for command in group.commands().values():
            name = f"az {group.name}" if group.alone else f"az {group.name} {command.name}"
            assert command.summary.endswith("."), name
            assert command.examples, name
            flags = [flag for argument in (*command.arguments, *GLOBAL_ARGUMENTS) for flag in argument.names]
            assert len(flags) == len(set(flags)), name
            for example in command.examples:
                line = example.command.partition("=$(")[2].rstrip(")") or example.command
                if line.startswith(name):
                    parse(command, name, shlex.split(line)[len(name.split()) :])


def test_words_that_are_no_text_are_passed_on(shim: Path, real: Path) -> None:
    """A file's name may be any bytes; only what is served here has to be text."""
    ran = subprocess.run(
        [os.fsencode(shim), b"vm", b"\xff"], capture_output=True, check=False, stdin=subprocess.DEVNULL,
        env={"PATH": f"{real.parent}:{SYSTEM}", "LC_ALL": "C"},
    )  # fmt: skip

    assert ran.returncode == 7
    assert b"[\xff]" in ran.stdout


def test_check_finds_the_real_az_after_ours(shell: Shell, real: Path) -> None:
    """As `--check` says it."""
    record = json.loads(
        shell(f'eval "$(penstock az-shim)"; PATH="$PATH:{real.parent}" penstock az-shim --check -o json').out
    )

    assert record["real_az"] == str(real)


def test_the_tests_find_no_az_of_the_machine(real: Path) -> None:
    """Where there is one, its neighbours stay."""
    executable(real.parent / "neighbour", "#!/bin/sh\necho here\n")

    path = path_without_az(f"{real.parent}:{SYSTEM}")

    assert shutil.which("az", path=path) is None
    assert shutil.which("neighbour", path=path) is not None
