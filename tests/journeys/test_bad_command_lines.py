"""Command lines that cannot be, things that are not there, and homes that cannot be used: exit codes as those of `az`."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.journeys.mistakes import PLAIN, Project
from tests.journeys.person import Person

pytestmark = pytest.mark.xdist_group("bad-command-lines")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("jobs list", 2, ("`jobs` is not a penstock command", "hint: did you mean `penstock job`?")),
        ("job crate -f x.yml", 2, ("`crate` is not a command of `penstock job`", "hint: did you mean `penstock job create`?")),
        ("job create -f x.yml --strem", 2, ("unrecognized arguments: --strem", "usage: penstock job create", "hint: did you mean `--stream`?")),
        ("job show", 2, ("the following arguments are required: --name/-n", "usage: penstock job show")),
        ("job list -o jsn", 2, ("`jsn` is not one of json, jsonc, yaml, yamlc, table, tsv, none", "did you mean `json`?")),
        ("job list --max-results many", 2, ("`many` is not a whole number",)),
        ("job list --max-results -1", 2, ("`-1` is less than 1",)),
        ("job list --status Runing", 2, ("`Runing` is not one of NotStarted", "did you mean `Running`?")),
        ("job list --query [].{", 2, ("invalid JMESPath expression `[].{`", "^")),
        ("job list --query lenght(@)", 2, ("JMESPath has no function `lenght`", "did you mean `length`?")),
        ("compute list --query [].sort(name)", 1, ("the query `[].sort(name)` fails", "invalid type")),
        ("job create -f x.yml --stream --no-wait", 2, ("--stream and --no-wait exclude each other",)),
        ("online-endpoint create -f x.yml", 1, ("`online-endpoint` is not supported yet", "`penstock --help`")),
        ("schedule list", 1, ("`schedule` is not supported yet",)),
        ("onlin-endpoint create", 2, ("hint: did you mean `penstock online-endpoint`?",)),
        ("job connect-ssh -n x", 1, ("`penstock job connect-ssh` is not supported yet", "`penstock job --help`")),
        ("environment show -n x", 1, ("must provide either --version or --label",)),
        ("model show -n x -v 1 -l latest", 1, ("cannot provide both --version and --label",)),
        ("data create --name x --type mltable --path .", 1, ("holds no file named `MLTable`",)),
        ("compute create -n x --type kubernetes", 1, ("--type  a compute of type `kubernetes` is not supported yet",)),
        ("compute create -n x --type amlcompte", 1, ("hint: did you mean `amlcompute`?",)),
        ("compute create -n x --type amlcompute --max-instances two", 2, ("`two` is not a whole number",)),
        ("configure --defaults output=pretty", 2, ("output `pretty` is not one of json",)),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_names_what_can(
    project: Project, line: str, code: int, words: tuple[str, ...]
) -> None:
    """Exit code 2 and the usage for a command line, 1 for what is understood and not there; a near word where there is one."""
    said = project.refused(*line.split(), code=code).said

    for each in words:
        assert each in said


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("job show -n nobody", ("job `nobody` was not found in workspace `default`", "latest jobs there: happy_frog")),
        ("job show -n hapy_frog", ("hint: did you mean", "happy_frog")),
        ("job stream -n nobody", ("job `nobody` was not found",)),
        ("job cancel -n nobody", ("job `nobody` was not found",)),
        ("job download -n nobody", ("job `nobody` was not found",)),
        ("job list --parent-job-name nobody", ("job `nobody` was not found",)),
        ("environment show -n nothing -v 1", ("environment `nothing:1` was not found", "hint: create it with")),
        ("data show -n nothing -l latest", ("data `nothing` was not found", "hint: create it with")),
        ("data show -n rides -v 9", ("data `rides:9` was not found", "versions 1", "azureml:rides:1")),
        ("data show -n rides -l lates", ("data `rides` has no label `lates`", "`latest` always exists")),
        ("compute show -n locl", ("locl", "hint: did you mean `local`?")),
        ("compute delete -n nothing --yes", ("nothing", "hint: create it with `penstock compute create -n nothing")),
        ("workspace show -n deflt", ("workspace `deflt` was not found", "hint: did you mean `default`?")),
        ("job list -w tests", ("workspace `tests` was not found", "`penstock workspace create -n tests`")),
    ],
)  # fmt: skip
def test_what_is_not_there_is_exit_code_3(project: Project, line: str, words: tuple[str, ...]) -> None:
    """As CI's `show … || create …` relies on; with what there is, or the command that creates it."""
    there(project)

    said = project.refused(*line.split(), code=3).said

    for each in words:
        assert each in said


def there(project: Project) -> None:
    """A data asset and a job that a name can be near to. The job has failed, with or without a network: its pins clash."""
    if project.things()["jobs"]:
        return
    project.write({
        "job.yml": "command: echo\nenvironment: {image: ubuntu, conda_file: conda.yml}\n",
        "conda.yml": "dependencies:\n  - python\n  - pip: [six==1.15.0, six==1.16.0]\n",
        "rides.csv": "a\n",
    })  # fmt: skip
    project.run("job", "create", "-f", "job.yml", "-n", "happy_frog", "--stream", expect=1)
    project.run("data", "create", "-n", "rides", "--type", "uri_file", "--path", "rides.csv", "-o", "none")


@pytest.mark.parametrize(("what", "name"), [("workspace", "default"), ("compute", "local")])
def test_a_delete_asks_first_and_without_a_terminal_deletes_nothing(
    project: Project, what: str, name: str
) -> None:
    """A script has to say --yes."""
    said = project.refused(what, "delete", "-n", name).said

    assert f"Delete {what} `{name}`" in said
    assert "hint: add --yes (-y)" in said


def test_to_cancel_what_has_ended_says_how_it_ended(project: Project) -> None:
    """Nothing is to be done, and that is no error."""
    there(project)

    done = project.run("job", "cancel", "-n", "happy_frog")

    assert done.stdout == ""
    assert done.stderr == "job `happy_frog` had ended already: Failed\n"


def test_an_unknown_compute_is_found_by_check_and_made(project: Project) -> None:
    """The error that everyone meets first: its line, its command; `check` proposes itself with the same --set."""
    project.write({"job.yml": f"command: echo\ncompute: azureml:cpu-cluster\n{PLAIN}\n"})
    other = ("--set", "compute=azureml:gpu-cluster")

    said = project.refused("job", "create", "-f", "job.yml").said
    missing = project.run("check", "job.yml", *other, expect=1).stdout
    made = project.run("check", "job.yml", *other, "--create-missing").stdout

    assert "job.yml:2  compute: " in said
    assert "penstock compute create -n cpu-cluster --type amlcompute" in said
    assert (
        "create it at once: penstock check job.yml --set compute=azureml:gpu-cluster --create-missing"
        in missing
    )
    assert "created compute `gpu-cluster`" in made
    assert "has all that it needs" in project.run("check", "job.yml", *other).stdout
    nearly = project.refused("job", "create", "-f", "job.yml", "--set", "compute=azureml:gpu-clutser").said
    assert "did you mean `gpu-cluster`?" in nearly


# What surrounds a command ---------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_early_is_no_error(project: Project) -> None:
    """`penstock … | head -1`: no traceback, no complaint, exit code 0."""
    there(project)
    program = project.person.bin / "penstock"
    line = f"'{program}' job list | head -1; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, "PENSTOCK_HOME": str(project.home.path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout == "[\n0\n"
    assert done.stderr == ""


def test_another_language_and_another_time_zone_change_no_record(project: Project) -> None:
    """LANG=C and a zone off by five and a half hours: the record is in UTC, as everywhere."""
    there(project)
    words = ("job", "show", "-n", "happy_frog", "--query", "[experiment_name, creation_context.created_at]")
    abroad = {"LANG": "C", "LC_ALL": "C", "TZ": "Asia/Kolkata", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    here, there_ = project.run(*words), project.run(*words, more=abroad)

    assert there_.stdout.isascii()
    assert json.loads(here.stdout) == json.loads(there_.stdout)
    assert yaml.safe_load(project.run(*words, "-o", "yaml", more=abroad).stdout) == json.loads(here.stdout)
    assert json.loads(here.stdout)[1].endswith("+00:00")
    assert there_.stderr == ""


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nowhere"])
def test_a_home_that_cannot_be_is_named(project: Project, home: str) -> None:
    """A file, or a place where nothing can be made."""
    done = project.run("job", "list", expect=1, more={"PENSTOCK_HOME": home})

    assert home in done.stderr
    assert "hint: set PENSTOCK_HOME to a folder that you can write to" in done.stderr


@pytest.mark.parametrize("variable", ["PENSTOCK_LOG_LIMIT_MB", "PENSTOCK_IDLE_MINUTES"])
def test_a_setting_that_is_no_number_is_named(tmp_path: Path, variable: str) -> None:
    """The server does not start; what it would have said is said."""
    someone = Person(folder=tmp_path, home=tmp_path / "home", environment={variable: "many"})
    try:
        done = someone.types("penstock", "job", "list", expect=1)
    finally:
        someone.leave()

    assert f"{variable} is `many`, which is not a number from 0 upwards" in done.stderr
    assert "Traceback" not in done.stderr


Disk = Callable[[str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mounts a small disk of its own where root may; the answer is its folder."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk {len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "penstock-test", str(folder)]
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("only root can mount a small disk")
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine allows no mounts")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_home_that_is_read_only_is_named(disk: Disk, tmp_path: Path) -> None:
    """Nothing is started; the folder and the variable are named."""
    someone = Person(folder=tmp_path, home=disk("ro") / "home")

    said = someone.types("penstock", "job", "list", expect=1).stderr

    assert f"cannot work in {someone.home}: Read-only file system" in said
    assert "hint: set PENSTOCK_HOME" in said


def test_a_full_disk_refuses_an_upload_and_keeps_nothing_of_it(disk: Disk, tmp_path: Path) -> None:
    """The file does not fit: it is said how much is free; what was there stays, and what fits is taken."""
    home = disk("size=4m") / "home"
    someone = Person(folder=tmp_path, home=home)
    (tmp_path / "big.bin").write_bytes(os.urandom(8 * 1024 * 1024))
    (tmp_path / "small.csv").write_text("a\n")
    data = ("data", "create", "--type", "uri_file", "--name")
    try:
        someone.penstock(*data, "small", "--path", "small.csv", "-o", "none")

        done = someone.types("penstock", *data, "big", "--path", "big.bin", expect=1)
        left = sum(path.stat().st_size for path in (home / "artifacts").rglob("*") if path.is_file())
        listed = someone.penstock("data", "list", "--query", "[].name", "-o", "tsv")
        after = someone.penstock(*data, "small2", "--path", "small.csv", "--query", "name", "-o", "tsv")
    finally:
        someone.leave()

    assert done.stdout == ""
    assert "error: no space is left for" in done.stderr
    assert "`penstock gc`" in done.stderr
    assert left < 10_000
    assert listed == "small"
    assert after == "small2"


def test_a_disk_too_small_to_start_on_is_said(disk: Disk, tmp_path: Path) -> None:
    """Not even the database fits."""
    someone = Person(folder=tmp_path, home=disk("size=64k") / "home")
    try:
        done = someone.types("penstock", "job", "list", expect=1)
    finally:
        someone.leave()

    assert done.stdout == ""
    assert "space" in done.stderr
    assert "Traceback" not in done.stderr
