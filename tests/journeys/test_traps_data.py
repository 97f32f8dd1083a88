"""What real projects count on for the files of a job: outputs, artifacts, the working folder, models, public addresses."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow]


def downloaded(project: Project, job: str) -> Path:
    """Everything that a job and its steps left."""
    project.run("job", "download", "-n", job, "--all", "-p", job)
    return project.folder / job


def said_by(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("std_log*.txt"))


OUTPUTS = f"""\
type: pipeline
outputs:
  scores: {{type: uri_file}}
  model: {{type: uri_folder}}
jobs:
  score:
    # A file is a path that does not exist yet, in a folder that does; a folder is there. Neither script makes a folder.
    command: >-
      test ! -e ${{{{outputs.scores}}}} && echo 0.5 > ${{{{outputs.scores}}}}
      && test -d ${{{{outputs.model}}}} && echo weights > ${{{{outputs.model}}}}/model.pkl
      && test -d ${{{{outputs.plain}}}} && test ! -e ${{{{outputs.report}}}} && echo fine > ${{{{outputs.report}}}}
    {PLAIN}
    outputs:
      scores: "${{{{parent.outputs.scores}}}}"
      model: "${{{{parent.outputs.model}}}}"
      plain:
      report: {{type: uri_file}}
  read:
    command: test -f ${{{{inputs.scores}}}} && cat ${{{{inputs.scores}}}} ${{{{inputs.model}}}}/model.pkl ${{{{inputs.report}}}}
    {PLAIN}
    inputs:
      scores: "${{{{parent.jobs.score.outputs.scores}}}}"
      model: "${{{{parent.jobs.score.outputs.model}}}}"
      report: "${{{{parent.jobs.score.outputs.report}}}}"
"""


def test_a_pipelines_output_decides_whether_its_steps_output_is_a_file(project: Project) -> None:
    """`uri_file` stands at the pipeline only; scripts open the path they get, and write into folders that are there."""
    project.write({"job.yml": OUTPUTS})

    project.run("job", "create", "-f", "job.yml", "-n", "outputs", "--stream")

    got = downloaded(project, "outputs")
    (scores,) = [path for path in (got / "named-outputs" / "scores").rglob("*") if path.is_file()]
    assert scores.read_text() == "0.5\n"
    assert (got / "named-outputs" / "model" / "model.pkl").read_text() == "weights\n"
    project.run("job", "download", "-n", "outputs_read", "-p", "read")
    assert "0.5\nweights\nfine\n" in said_by(project.folder / "read")


ARTIFACTS = f"""\
type: pipeline
jobs:
  hello:
    command: echo hello && echo world > ./outputs/world.txt
    {PLAIN}
    outputs:
      artifacts:
  world:
    command: cat ${{{{inputs.from_before}}}}/outputs/world.txt && ls ${{{{inputs.from_before}}}}
    {PLAIN}
    inputs:
      from_before: "${{{{parent.jobs.hello.outputs.artifacts}}}}"
"""


def test_an_output_called_artifacts_is_what_the_step_left_behind(project: Project) -> None:
    """`outputs: artifacts:` without a word more: the next step reads `…/outputs/world.txt` under it."""
    project.write({"job.yml": ARTIFACTS})

    project.run("job", "create", "-f", "job.yml", "-n", "artifacts", "--stream")

    project.run("job", "download", "-n", "artifacts_world", "-p", "world")
    assert "world\n" in said_by(project.folder / "world")


def test_a_models_folder_keeps_its_name(project: Project) -> None:
    """Registered by `path: …/model/`; scoring scripts of deployments read `model/x.pkl` below the folder they are told."""
    project.write({"training/model/x.pkl": "weights", "use.yml": (
        f"command: ls ${{{{inputs.m}}}} && cat ${{{{inputs.m}}}}/x.pkl\n{PLAIN}\n"
        "inputs: {m: {type: custom_model, path: 'azureml:taxi@latest'}}\n"
    ), "model.yml": "name: taxi-file\ntype: custom_model\npath: training/model/\n"})  # fmt: skip

    project.run("model", "create", "--name", "taxi", "--type", "custom_model", "--path", "training/model/")
    project.run("model", "create", "-f", "model.yml")
    project.run("model", "download", "-n", "taxi", "-v", "1", "-p", "got")
    project.run("model", "download", "-n", "taxi-file", "-v", "1", "-p", "got")
    project.run("job", "create", "-f", "use.yml", "-n", "uses", "--stream")

    assert (project.folder / "got" / "taxi" / "model" / "x.pkl").read_text() == "weights"
    assert (project.folder / "got" / "taxi-file" / "model" / "x.pkl").read_text() == "weights"
    project.run("model", "create", "-n", "copied", "--path", "azureml:taxi:1")
    project.run("model", "download", "-n", "copied", "-l", "latest", "-p", "got")
    assert (project.folder / "got" / "copied" / "model" / "x.pkl").read_text() == "weights"
    words = ("--name", "versioned", "--version", "4", "--type", "custom_model", "--path", "training/model/")
    assert project.run("model", "create", *words, "--query", "version", "-o", "tsv").stdout == "4\n"
    listed = project.run("model", "list", "--name", "versioned", "--registry-name", "azureml", "-o", "tsv")
    assert listed.stdout == ""
    project.run("model", "create", "-n", "single", "--path", "training/model/x.pkl")
    project.run("model", "create", "-n", "single-again", "--path", "azureml:single:1")
    for name in ("single", "single-again"):
        project.run("model", "download", "-n", name, "-v", "1", "-p", "got")
        assert (project.folder / "got" / name / "x.pkl").read_text() == "weights"


_SCRIPT = """\
import os, pathlib
here = pathlib.Path.cwd()
assert pathlib.Path(__file__).resolve().parent == here, here
pathlib.Path("model.pkl").write_text("in the working folder")
pathlib.Path("outputs/metrics.json").write_text("{}")
pathlib.Path("helper.py").write_text("changed")
pathlib.Path("logs").mkdir(exist_ok=True)
print("ran in", here)
"""


@pytest.mark.parametrize("read_only", [False, True], ids=["as it is", "a checkout nobody may write to"])
def test_code_is_copied_and_never_run_in_place(project: Project, read_only: bool) -> None:
    """Scripts write beside themselves, change their own modules and expect `./outputs`; the project stays as it is."""
    project.write({
        "src/train.py": _SCRIPT, "src/helper.py": "one = 1\n", "job.yml": f"command: python train.py\ncode: ./src\n{PLAIN}\n"
    })  # fmt: skip
    source = project.folder / "src"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.rglob("*")}
    job = "read-only" if read_only else "writable"
    if read_only:
        for path in before:
            path.chmod(0o444)
        source.chmod(0o555)

    try:
        project.run("job", "create", "-f", "job.yml", "-n", job, "--stream")
        project.run("job", "create", "-f", "job.yml", "-n", f"{job}-again", "--stream")
    finally:
        source.chmod(0o755)

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.rglob("*")} == before
    got = downloaded(project, job)
    assert (got / "artifacts" / "outputs" / "metrics.json").read_text() == "{}"
    assert str(project.folder) not in said_by(got)


class _Counting(http.server.SimpleHTTPRequestHandler):
    """A folder as public address; `asked` has a line for each request, with what was answered."""

    asked: list[tuple[str, int]]

    def send_response(self, code: int, message: str | None = None) -> None:
        type(self).asked.append((self.path, int(code)))
        super().send_response(code, message)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Quiet."""


@pytest.fixture
def public(tmp_path: Path) -> Iterator[tuple[str, Path, list[tuple[str, int]]]]:
    """An address, the folder behind it, and what was asked of it."""
    asked: list[tuple[str, int]] = []
    handler = type("Handler", (_Counting,), {"asked": asked})
    folder = tmp_path / "public"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    ) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder, asked
        server.shutdown()
        serving.join()


def test_a_public_file_is_downloaded_once_and_verified(
    project: Project, public: tuple[str, Path, list[tuple[str, int]]]
) -> None:
    """The address of a CSV in a pipeline's inputs: one download for two runs; a damaged copy is noticed."""
    address, folder, asked = public
    (folder / "iris.csv").write_text("a,b\n1,2\n")
    project.write({
        "job.yml": f"command: cat ${{{{inputs.iris}}}}\n{PLAIN}\n"
        f"inputs: {{iris: {{type: uri_file, path: '{address}/iris.csv'}}}}\n"
    })  # fmt: skip

    for job in ("first", "second"):
        project.run("job", "create", "-f", "job.yml", "-n", job, "--stream")
    once = [path for path, code in asked if code == 200]
    (copy,) = [
        path
        for path in (project.home.path / "downloads").rglob("*")
        if path.is_file() and path.read_bytes() == b"a,b\n1,2\n"
    ]
    copy.chmod(0o644)
    copy.write_text("damaged!")
    project.run("job", "create", "-f", "job.yml", "-n", "third", "--stream")

    assert once == ["/iris.csv"]
    assert [code for _, code in asked if code == 304] != []
    for job in ("first", "second", "third"):
        assert "a,b\n1,2" in said_by(downloaded(project, job))


def test_what_stands_for_a_public_address_is_used_without_a_network(project: Project) -> None:
    """`https://` and `wasbs://` inputs, as the public examples have them, with a map of addresses."""
    project.write({
        "here/iris.csv": "a\n", "here/images/one.png": "png", "job.yml": (
            f"command: cat ${{{{inputs.iris}}}} ${{{{inputs.images}}}}/one.png\n{PLAIN}\ninputs:\n"
            "  iris: {type: uri_file, path: 'https://azuremlexamples.blob.core.windows.net/datasets/iris.csv'}\n"
            "  images: {type: uri_folder, path: 'wasbs://datasets@azuremlexamples.blob.core.windows.net/images'}\n"
        ), "urls.yml": "https://azuremlexamples.blob.core.windows.net/datasets: here/\n",
    })  # fmt: skip
    offline = {
        "PENSTOCK_URL_MAP": "urls.yml",
        "http_proxy": "http://127.0.0.1:1",
        "https_proxy": "http://127.0.0.1:1",
    }

    project.run("job", "create", "-f", "job.yml", "-n", "mapped", "--stream", more=offline)

    assert "a\npng" in said_by(downloaded(project, "mapped"))
    assert os.environ.get("PENSTOCK_URL_MAP") is None
