"""What a script may leave behind: links, pipes, names without an encoding, folders that are gone. Nothing foreign is touched."""

import stat
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import NotFound
from penstock.jobs import finalizing
from penstock.jobs import statuses as st
from penstock.jobs.downloads import file_of, files_of
from penstock.store.records.job import JobRecord
from tests.jobs.conftest import Bench, step

STORE = "azureml://datastores/workspaceblobstore/paths"


def artifacts(bench: Bench, name: str = "j") -> list[str]:
    """What `job download` would list."""
    found = files_of(bench.runner, bench.job(name), (), output=None, every=True)
    return [path for path in found if "_logs/" not in path]


def ran(bench: Bench, command: str, **more: Any) -> JobRecord:
    bench.create("j", **step(command, **more))
    return bench.settle("j")


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that no job has anything to do with."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    return folder


def assert_untouched(foreign: Path) -> None:
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]
    assert stat.S_IMODE((foreign / "mine.txt").stat().st_mode) & 0o200


@pytest.mark.parametrize(
    "command",
    [
        "rm -r outputs; ln -s {foreign} outputs",
        "rm -r outputs; ln -s {foreign}/mine.txt outputs",
        'here=$PWD; cd /; rm -r "$here"; mkdir -p {foreign}; ln -s {foreign} "$here"',
    ],
)
def test_a_link_in_the_place_of_outputs_is_not_followed(bench: Bench, foreign: Path, command: str) -> None:
    """The job completes, says that nothing of it is kept, and what the link leads to stays as it was."""
    job = ran(bench, command.format(foreign=foreign))

    assert job.status == st.COMPLETED
    assert "replaced by a link" in job.properties["penstock.warning.1"]
    assert artifacts(bench) == []
    assert_untouched(foreign)


def test_a_link_among_the_artifacts_is_kept_as_a_link_and_not_downloaded(bench: Bench, foreign: Path) -> None:
    """A link out of the folder would show files of others."""
    job = ran(
        bench, f"ln -s {foreign} outputs/folder; ln -s {foreign}/mine.txt outputs/file; echo x > outputs/x"
    )

    assert job.status == st.COMPLETED
    assert artifacts(bench) == ["artifacts/outputs/x"]
    assert_untouched(foreign)


def test_an_output_that_became_a_link_fails_the_job_and_says_so(bench: Bench, foreign: Path) -> None:
    """What lies outside the datastore is no output of the job. Nothing of the run is left in its folder."""
    bench.environments.has_mlflow = True
    job = ran(bench, f"rmdir ${{{{outputs.o}}}}; ln -s {foreign} ${{{{outputs.o}}}}", outputs={"o": None})

    assert job.status == st.FAILED
    assert job.error is not None
    assert "leaves datastore" in job.error["message"]
    assert bench.runs.ended == {"j": "FAILED"}
    assert not bench.runner.folders(job).work.exists()
    assert_untouched(foreign)


def test_a_linked_or_shared_file_in_an_output_keeps_its_mode(bench: Bench, foreign: Path) -> None:
    """Outputs are write-protected; a file that has another name elsewhere is not ours to protect."""
    out = "${{outputs.o}}"
    command = (
        f"ln {foreign}/mine.txt {out}/hard; ln -s {foreign} {out}/soft; mkdir {out}/d; echo x > {out}/d/own"
    )
    job = ran(bench, command, outputs={"o": None})

    assert job.status == st.COMPLETED
    (written,) = bench.home.datastore("demo", "workspaceblobstore").glob("azureml/j/o")
    assert not (written / "d" / "own").stat().st_mode & 0o222
    assert_untouched(foreign)


def test_a_script_may_remove_its_outputs_folder(bench: Bench) -> None:
    """Then there are none."""
    assert ran(bench, "rm -r outputs logs").status == st.COMPLETED
    assert artifacts(bench) == []


def test_pipes_and_sockets_are_not_waited_for(bench: Bench) -> None:
    """Neither among the artifacts nor in an output nor in an input that is copied."""
    script = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('outputs/socket')"
    bench.create(
        jobs={
            "a": step(
                f'mkfifo outputs/pipe ${{{{outputs.o}}}}/pipe; python -c "{script}"; echo x > ${{{{outputs.o}}}}/x',
                outputs={"o": None},
            ),
            "b": step(
                "ls ${{inputs.i}}",
                inputs={
                    "i": {"path": "${{parent.jobs.a.outputs.o}}", "mode": "download", "type": "uri_folder"}
                },
            ),
        }
    )

    assert bench.settle().status == st.COMPLETED
    assert bench.log("p_b") == "x\n"
    files = files_of(bench.runner, bench.job("p_a"), (), output=None, every=True)
    assert [path for path in files if "_logs/" not in path] == ["named-outputs/o/x"]


def test_a_name_without_an_encoding_is_listed_readably(bench: Bench) -> None:
    """A listing is JSON, and clients take no backslash for a name: both are shown as escapes. Each is found by its name."""
    job = ran(bench, r"""cd outputs; touch "$(printf '\377')" "$(printf '\376')" 'a b#?%41' 'c\d' plain""")

    assert job.status == st.COMPLETED
    listed = artifacts(bench)
    assert listed == [f"artifacts/outputs/{name}" for name in ("a b#?%41", "c%5Cd", "plain", "%FE", "%FF")]
    assert len({file_of(bench.runner, job, (), path) for path in listed}) == 5


@pytest.mark.parametrize(
    "path", ["artifacts/outputs/../x", "artifacts/link/x", "artifacts//x", "artifacts", "", "named-outputs/o"]
)
def test_only_listed_files_are_found(bench: Bench, foreign: Path, path: str) -> None:
    """Not above, not behind links."""
    job = ran(bench, f"ln -s {foreign} outputs/link; touch outputs/x", outputs={"o": None})

    with pytest.raises(NotFound):
        file_of(bench.runner, job, (), path)


def test_a_folder_that_nobody_may_write_goes_with_the_run(bench: Bench) -> None:
    """A script that protects what it made does not leave it for ever."""
    job = ran(bench, "mkdir -p a/b; touch a/b/c; chmod -R a-w a; chmod a-w .")

    assert job.status == st.COMPLETED
    assert not bench.runner.folders(job).work.exists()


def test_what_moves_to_another_file_system_is_copied(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The datastores may lie on another disk than the jobs."""
    import errno

    def refuse(source: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(source), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    job = ran(bench, "mkdir outputs/d; echo x > outputs/d/x; ln -s nowhere outputs/l; mkfifo outputs/pipe")

    assert job.status == st.COMPLETED
    assert artifacts(bench) == ["artifacts/outputs/d/x"]
    assert bench.runner.folders(job).artifacts.joinpath("outputs", "l").is_symlink()


def test_keeping_artifacts_can_be_repeated(bench: Bench) -> None:
    """A server that was killed half-way does it again: what is newer stays, whatever kind it is."""
    folders = bench.runner.folders(ran(bench, "mkdir outputs/x; touch outputs/x/old; echo file > outputs/y"))
    for path in (folders.work / "outputs" / "y", folders.work / "outputs" / "x"):
        path.parent.mkdir(parents=True, exist_ok=True)
    (folders.work / "outputs" / "y").mkdir()
    (folders.work / "outputs" / "x").write_text("new")

    finalizing.keep_artifacts(folders)

    assert (folders.artifacts / "outputs" / "x").read_text() == "new"
    assert (folders.artifacts / "outputs" / "y").is_dir()


def test_an_output_path_of_ones_own_keeps_what_is_there(bench: Bench) -> None:
    """Also where it looks like the place of another job's output: nothing of others is removed or protected."""
    ran(bench, "echo one > ${{outputs.o}}/one", outputs={"o": None})
    path = f"{STORE}/azureml/j/o/"
    bench.create(
        "k", **step("echo two > ${{outputs.o}}/two", outputs={"o": {"path": path, "type": "uri_folder"}})
    )

    assert bench.settle("k").status == st.COMPLETED
    folder = bench.home.datastore("demo", "workspaceblobstore") / "azureml" / "j" / "o"
    assert sorted(file.name for file in folder.iterdir()) == ["one", "two"]
    assert (folder / "two").stat().st_mode & 0o200


def test_an_output_of_mode_upload_comes_to_its_place_at_the_end(bench: Bench) -> None:
    """The step sees an empty folder; afterwards it is merged with what is there. A failed step uploads nothing."""
    path = f"{STORE}/shared/"
    place = bench.home.datastore("demo", "workspaceblobstore") / "shared"
    (place / "sub").mkdir(parents=True)
    (place / "old").write_text("old")
    output = {"o": {"path": path, "type": "uri_folder", "mode": "upload"}}
    command = (
        'test -z "$(ls ${{outputs.o}})" && mkdir ${{outputs.o}}/sub && echo new > ${{outputs.o}}/sub/new'
    )

    assert ran(bench, command, outputs=output).status == st.COMPLETED
    bench.create("k", **step("echo x > ${{outputs.o}}/half; exit 1", outputs=output))
    assert bench.settle("k").status == st.FAILED

    assert sorted(str(each.relative_to(place)) for each in place.rglob("*")) == ["old", "sub", "sub/new"]


def test_an_uploaded_file_takes_no_folders_place(bench: Bench) -> None:
    """The folder may be a person's own."""
    place = bench.home.datastore("demo", "workspaceblobstore") / "shared"
    (place / "x" / "mine").mkdir(parents=True)
    output = {"o": {"path": f"{STORE}/shared/", "type": "uri_folder", "mode": "upload"}}

    job = ran(bench, "echo x > ${{outputs.o}}/x", outputs=output)

    assert job.error is not None
    assert "has a file where a folder is" in job.error["message"]
    assert (place / "x" / "mine").is_dir()


def test_a_place_in_a_datastore_may_be_written_to_by_an_input(bench: Bench) -> None:
    """Mode rw_mount gives the place itself."""
    place = bench.home.datastore("demo", "workspaceblobstore") / "shared"
    place.mkdir(parents=True)
    value = {"d": {"path": f"{STORE}/shared/", "type": "uri_folder", "mode": "rw_mount"}}

    assert ran(bench, "echo x > ${{inputs.d}}/x", inputs=value).status == st.COMPLETED

    assert (place / "x").read_text() == "x\n"


def test_a_folder_in_the_place_of_a_file_is_named(bench: Bench) -> None:
    """`mkdir -p "$OUT"` is what people write for a uri_file output."""
    job = ran(bench, "mkdir -p ${{outputs.o}}; touch ${{outputs.o}}/x", outputs={"o": {"type": "uri_file"}})

    assert job.status == st.FAILED
    assert job.error is not None
    assert "a folder is there" in " ".join(job.error["details"])


def test_a_downloaded_input_may_be_changed_and_holds_no_links(bench: Bench, foreign: Path) -> None:
    """The copy is the step's own; a link that leads nowhere is left out."""
    out = "${{outputs.o}}"
    bench.create(
        jobs={
            "a": step(
                f"echo 1 > {out}/x; ln -s nowhere {out}/dangling; ln -s x {out}/again", outputs={"o": None}
            ),
            "b": step(
                "cd ${{inputs.i}}; echo 2 >> x; cat x again; ls",
                inputs={
                    "i": {"path": "${{parent.jobs.a.outputs.o}}", "mode": "download", "type": "uri_folder"}
                },
            ),
        }
    )

    assert bench.settle().status == st.COMPLETED
    assert bench.log("p_b") == "1\n2\n1\nagain\nx\n"


@pytest.mark.parametrize(
    "document",
    [
        {"inputs": {"text": "a\0b"}, "command": "echo ${{inputs.text}}"},
        {"environment_variables": {"X": "a\0b"}, "command": "true"},
        {"command": "echo a\0b"},
    ],
)
def test_a_nul_is_a_clear_error(bench: Bench, document: dict[str, Any]) -> None:
    """No process can be given one."""
    bench.create("j", environment="azureml:e:1", **document)
    job = bench.settle("j")

    assert job.status == st.FAILED
    assert job.error is not None
    assert "NUL" in job.error["message"]
    assert "internal error" not in job.error["message"]


def test_a_literal_with_line_breaks_arrives_as_it_is(bench: Bench) -> None:
    """In the command and in the variables."""
    job = ran(bench, 'printf %s "$AZUREML_PARAMETER_text"', inputs={"text": "a\nb\n\n c"})

    assert job.status == st.COMPLETED
    assert bench.log("j") == "a\nb\n\n c"


def test_what_was_logged_is_downloaded_behind_what_the_job_kept(
    bench: Bench, foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files with one path the job's own counts. MLflow is asked only for what the job has not kept."""
    job = ran(bench, "echo own > outputs/x")
    (foreign / "outputs").mkdir()
    (foreign / "outputs" / "x").write_text("logged")
    (foreign / "model").mkdir()
    (foreign / "model" / "MLmodel").write_text("flavors: {}")
    asked = []

    def logged_by(owner: JobRecord) -> dict[str, Path]:
        asked.append(owner.name)
        return {"": foreign, "second": foreign / "model"}

    monkeypatch.setattr(bench.runner, "logged_by", logged_by)

    listed = files_of(bench.runner, job, (), output=None, every=False)

    names = ("mine.txt", "model/MLmodel", "outputs/x", "second/MLmodel")
    assert sorted(path for path in listed if "_logs/" not in path) == [f"artifacts/{name}" for name in names]
    assert all(file_of(bench.runner, job, (), path) == place for path, place in listed.items())
    assert listed["artifacts/outputs/x"].read_text() == "own\n"
    asked.clear()
    file_of(bench.runner, job, (), "artifacts/outputs/x")
    assert asked == []
    file_of(bench.runner, job, (), "artifacts/mine.txt")
    assert asked == ["j"]
