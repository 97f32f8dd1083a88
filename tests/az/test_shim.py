"""The script `az`, the code that puts it on PATH, and what is said of who wins: in real shells."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli import az_script
from penstock.cli.az_shim import code_for
from penstock.settings import Home
from tests.az.conftest import Shell, executable
from tests.az.without_az import SYSTEM

SHELLS = ["sh", "dash", "bash", "bash --posix", "bash -eu", "zsh", "zsh -eu"]
VERSION = "az version --query penstock -o tsv"


def in_shell(shell: str, script: str, path: str) -> str:
    words = shell.split()
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    ran = subprocess.run(
        [program, *words[1:], "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": path, "PENSTOCK_HOME": os.environ["PENSTOCK_HOME"]},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.parametrize("name", ["plain", "with two  blanks", 'it\'s "quoted" $HOME `x` [a]*'])
@pytest.mark.parametrize("shell", SHELLS)
def test_the_folder_comes_first_on_path_exactly_once(
    shell: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluated twice, on a PATH that had it already; the empty entries of a PATH stay where they are."""
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / name))
    shim = az_script.write(Home.from_environment())
    folder = str(shim.parent)
    code, undo = code_for("sh", shim.parent), code_for("sh", shim.parent, undo=True)

    out = in_shell(
        shell,
        f'{code}{code}echo "$PATH"; command -v az; {VERSION}; {undo}{undo}echo "$PATH"',
        f":{SYSTEM}::{folder}:{folder}:",
    )

    first, found, version, last = out.splitlines()
    assert first == f"{folder}::{SYSTEM}::"
    assert found == str(shim)
    assert version
    assert last == f":{SYSTEM}::"


def test_a_shell_without_path_gets_one(home: Home) -> None:
    """No empty entry comes into it: that would be the current folder."""
    folder = home.az_shim.parent
    az_script.write(home)

    out = in_shell("bash", f'unset PATH; {code_for("sh", folder)}echo "$PATH"', SYSTEM)

    assert out == f"{folder}\n"


def test_fish_has_code_of_its_own(home: Home, shim: Path) -> None:
    """First, once, and away again."""
    code, undo = (
        code_for("fish", shim.parent, relax=True),
        code_for("fish", shim.parent, undo=True, relax=True),
    )

    out = in_shell(
        "fish",
        f'{code}{code}string join : $PATH; {VERSION}; echo "[$PENSTOCK_RELAX]"; '
        f'{undo}string join : $PATH; echo "[$PENSTOCK_RELAX]"',
        f"{SYSTEM}:{shim.parent}",
    )

    assert out.splitlines()[0] == f"{shim.parent}:{SYSTEM}"
    assert out.splitlines()[2:] == ["[1]", SYSTEM, "[]"]


def test_the_command_prints_shell_code_and_nothing_else(shell: Shell, home: Home) -> None:
    """As `eval "$(penstock az-shim)"` uses it; also without the quotes."""
    quoted = shell(f'eval "$(penstock az-shim --relax)" && {VERSION} && echo "$PENSTOCK_RELAX"')
    bare = shell(f"eval $(penstock az-shim) && {VERSION}")
    undone = shell(
        'eval "$(penstock az-shim --relax)"; eval "$(penstock az-shim --undo --relax)"; '
        'command -v az; echo "[$PENSTOCK_RELAX]"'
    )

    assert (quoted.code, quoted.err) == (0, "")
    assert quoted.out.endswith("\n1\n")
    assert (bare.code, bare.err) == (0, "")
    assert (undone.out, undone.err) == ("[]\n", "")
    assert json.loads(shell("penstock az-shim -o json").out)["path"] == str(home.az_shim)


def test_a_shim_that_cannot_be_written_stops_the_script(shell: Shell, tmp_path: Path) -> None:
    """Nothing may go on to the cloud because the code that was evaluated was empty."""
    file = tmp_path / "file"
    file.write_text("")

    ran = shell('set -e; eval "$(penstock az-shim)"; echo went on', env={"PENSTOCK_HOME": str(file / "home")})

    assert ran.code != 0
    assert ran.out == ""
    assert "cannot write" in ran.err
    mistyped = shell('set -e; eval "$(penstock az-shim --relx)"; echo went on')
    assert (mistyped.code, mistyped.out) == (1, "")
    assert "did you mean `--relax`?" in mistyped.err


def test_a_home_that_cannot_be_on_path_is_refused(shell: Shell, tmp_path: Path) -> None:
    """A colon separates the entries of PATH, and nothing escapes it."""
    ran = shell("penstock az-shim", env={"PENSTOCK_HOME": str(tmp_path / "a:b")})

    assert (ran.code, ran.out) == (1, "false\n")
    assert "cannot be on PATH" in ran.err
    assert not (tmp_path / "a:b").exists()


def test_a_shim_that_is_as_it_should_be_is_not_written_again(home: Home) -> None:
    """So a home that cannot be written to can still be used; one that was changed is written anew."""
    shim = az_script.write(home)
    before = shim.stat()

    assert az_script.write(home).stat().st_mtime_ns == before.st_mtime_ns
    shim.write_text("something else")
    az_script.write(home)

    assert az_script.shim_at(shim) is not None
    assert [path.name for path in shim.parent.iterdir()] == ["az"]


def test_the_shim_runs_what_made_it(shim: Path, tmp_path: Path) -> None:
    """Neither the folder that a script stands in, nor PYTHONPATH, nor another home's variables get in between."""
    for name in ("penstock.py", "json.py", "argparse.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')\n")

    ran = subprocess.run(
        [shim, "version", "--query", "penstock", "-o", "tsv"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(tmp_path), "LANG": "C"},
    )

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_home_is_that_of_the_shim_where_none_is_named(shim: Path, home: Home, tmp_path: Path) -> None:
    """The variable counts before it, as it does for `penstock`."""

    def source(**env: str) -> str:
        script = "az configure --defaults group=x && az configure --list-defaults --query [0].source -o tsv"
        path = f"{shim.parent}:{SYSTEM}"
        return subprocess.run(
            ["/bin/sh", "-c", script], env={"PATH": path, **env}, capture_output=True, text=True, check=True
        ).stdout

    assert source() == f"{home.config}\n"
    assert source(PENSTOCK_HOME=str(tmp_path / "other")) == f"{tmp_path / 'other' / 'config.json'}\n"


def test_a_shim_whose_python_is_gone_says_so(shim: Path, tmp_path: Path) -> None:
    """The venv was deleted: no `not found` of the shell, no traceback."""
    shim.write_text(shim.read_text().replace(sys.executable, str(tmp_path / "venv" / "bin" / "python")))

    ran = subprocess.run([shim, "ml", "job", "list"], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert f"is gone: there is no {tmp_path}/venv/bin/python" in ran.stderr
    assert str(shim) in ran.stderr


def test_a_shim_whose_penstock_is_gone_says_so(shim: Path) -> None:
    """The package was uninstalled, the Python stayed."""
    shim.write_text(shim.read_text().replace("penstock.az.main", "penstock_that_is_gone.az.main"))

    ran = subprocess.run([shim, "ml"], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "Penstock is no longer installed" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_check_says_which_az_wins(shell: Shell, home: Home, tmp_path: Path) -> None:
    """Nothing on PATH; ours; a real one before ours; ours before a real one; ours of another home; a function."""
    other = executable(tmp_path / "real" / "az", "#!/bin/sh\necho real\n")
    check = "penstock az-shim --check -o json"
    ours = 'eval "$(penstock az-shim)"'

    def checked(script: str) -> tuple[int, dict[str, object]]:
        ran = shell(script)
        return ran.code, json.loads(ran.out)

    assert checked(check) == (1, {
        "wins": False, "ours": False, "path": None, "version": None, "home": None, "python": None, "real_az": None,
        "problem": "its folder is not on PATH", "remedy": 'eval "$(penstock az-shim)"',
    })  # fmt: skip
    code, record = checked(f"{ours}; PATH=$PATH:{other.parent}; {check}")
    assert (code, record["wins"], record["path"], record["real_az"]) == (
        0,
        True,
        str(home.az_shim),
        str(other),
    )
    assert (record["home"], record["python"], record["problem"]) == (str(home.path), sys.executable, None)
    code, record = checked(f"{ours}; PATH={other.parent}:$PATH; {check}")
    assert (code, record["ours"], record["problem"]) == (
        1, False, f"{other} is before {home.az_shim} on PATH",
    )  # fmt: skip
    code, record = checked(f"{ours}; PENSTOCK_HOME={tmp_path}/elsewhere {check}")
    assert (code, record["ours"], record["wins"]) == (1, True, False)
    assert f"belongs to the home {home.path}" in str(record["problem"])
    code, record = checked(f"{ours}; az() {{ :; }}; export -f az; {check}")
    assert (code, record["wins"], record["remedy"]) == (1, False, "unset -f az")
    assert shell(f"{ours}; penstock az-shim --check").out.endswith("Penstock's az wins\n")


def test_an_alias_or_function_of_the_shell_is_told(shell: Shell) -> None:
    """It counts before any file, and a command that is started cannot see it."""
    ours = 'eval "$(penstock az-shim)"'

    assert "an alias or function az" in shell(f"az() {{ :; }}; {ours}").err
    assert "an alias or function az" in shell(f"shopt -s expand_aliases; alias az=echo; {ours}").err
    assert shell(ours).err == ""


def test_check_goes_with_nothing_that_changes(shell: Shell) -> None:
    """Who asks which one wins does not mean to change that."""
    assert shell("penstock az-shim --check --undo").code == 2
