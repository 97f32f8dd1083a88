"""What the builders make: the same data that a YAML file would hold."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import Input, Output, command, load_component, load_job, pipeline
from penstock.errors import InvalidDocument, UsageError
from penstock.resources.documents import parse
from penstock.sdk.nodes import Command

ENVIRONMENT = {"image": "python:3.11"}


@pytest.fixture
def prep(folder: Path) -> Command:
    return command(
        "python prep.py ${{inputs.rate}} ${{outputs.done}}",
        code="src",
        environment=ENVIRONMENT,
        inputs={"rate": 0.1},
        outputs={"done": Output()},
    )


@pytest.fixture
def show(folder: Path) -> Command:
    return command("ls ${{inputs.data}}", environment=ENVIRONMENT, inputs={"data": Input()}, name="show")


def test_importing_penstock_imports_none_of_the_sdk() -> None:
    """The command line imports the package too, and must stay quick."""
    code = "import sys, penstock; print(sorted(name for name in sys.modules if name.startswith('penstock.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_every_exported_name_is_there() -> None:
    """`from penstock import *` gives what the docstring promises."""
    import penstock

    assert all(getattr(penstock, name) is not None for name in penstock.__all__)
    with pytest.raises(AttributeError, match="no attribute `Klient`"):
        _ = penstock.Klient


def test_a_command_is_a_job(prep: Command, folder: Path) -> None:
    """Its document is what `commandJob` files hold, with the code folder to be uploaded."""
    document = prep.document()

    assert document.data["inputs"] == {"rate": 0.1}
    assert document.data["outputs"] == {"done": {"type": "uri_folder"}}
    assert [(local.pointer, local.path) for local in document.local] == [("/code", folder / "src")]
    assert document.problems == ()


def test_a_function_becomes_a_pipeline(prep: Command, show: Command) -> None:
    """Parameters are inputs, calls are steps in their order, what is returned are outputs."""

    @pipeline(default_compute="pool", experiment_name="rates")
    def rates(rate: float, again: float = 0.2) -> dict[str, object]:
        first = prep(rate=rate)
        prep(rate=again)
        show(data=first.outputs.done)
        return {"done": first.outputs.done}

    data = rates(0.5).data

    assert data["settings"] == {"default_compute": "azureml:pool"}
    assert data["inputs"] == {"rate": 0.5, "again": 0.2}
    assert list(data["jobs"]) == ["prep", "prep_2", "show"]
    assert data["jobs"]["prep"]["inputs"] == {"rate": "${{parent.inputs.rate}}"}
    assert data["jobs"]["prep"]["outputs"] == {"done": "${{parent.outputs.done}}"}
    assert data["jobs"]["show"]["inputs"] == {"data": "${{parent.jobs.prep.outputs.done}}"}
    assert data["outputs"] == {"done": {"type": "uri_folder"}}


def test_a_step_may_be_set_apart_from_its_command(prep: Command) -> None:
    """Compute, limits and the like of one step."""

    @pipeline
    def one() -> None:
        step = prep()
        step.settings["compute"] = "azureml:big"

    assert one().data["jobs"]["prep"]["compute"] == "azureml:big"


def test_a_pipeline_inside_a_pipeline_is_a_step(prep: Command, show: Command) -> None:
    """With ports whose types come from what is given, and defaults where that is a value."""

    @pipeline
    def inner(rate: float) -> dict[str, object]:
        return {"done": prep(rate=rate).outputs.done}

    @pipeline
    def outer(rate: float) -> None:
        first = inner(rate)
        inner(0.5)
        show(data=first.outputs.done)

    jobs = outer(0.1).data["jobs"]

    assert list(jobs) == ["inner", "inner_2", "show"]
    assert jobs["inner"]["component"]["inputs"] == {"rate": {"type": "number"}}
    assert jobs["inner_2"]["component"]["inputs"] == {"rate": {"type": "number", "default": 0.5}}
    assert list(jobs["inner"]["component"]["jobs"]) == ["prep"]
    assert jobs["show"]["inputs"] == {"data": "${{parent.jobs.inner.outputs.done}}"}


def test_a_component_file_is_a_step(folder: Path) -> None:
    """Its outputs are known from the file; a registered one's only to the server."""
    (folder / "prep.yml").write_text(
        "type: command\nname: prepare\noutputs: {done: {type: uri_file}}\n"
        "command: python prep.py 1 ${{outputs.done}}\ncode: src\nenvironment: azureml:e:1\n",
        encoding="utf-8",
    )
    prepare, registered = load_component("prep.yml"), load_component("azureml:other@latest")

    @pipeline
    def both() -> dict[str, object]:
        first = prepare()
        registered(data=first.outputs.done)
        return {"done": first.outputs.done}

    data = both().data

    assert list(data["jobs"]) == ["prepare", "other"]
    assert data["outputs"] == {"done": {"type": "uri_file"}}
    assert data["jobs"]["other"]["component"] == "azureml:other@latest"


def test_what_is_built_is_valid(prep: Command, show: Command) -> None:
    """The models that judge YAML files accept it."""

    @pipeline(default_compute="pool")
    def whole(rate: float = 0.1) -> dict[str, object]:
        first = prep(rate=rate)
        show(data=first.outputs.done)
        return {"done": first.outputs.done}

    data = {**whole().document().data}
    data["jobs"]["prep"]["code"] = f"snapshot://{'0' * 64}/src/"

    assert parse("job", data).warnings is not None


def _outside(prep: Command) -> object:
    return prep()


def _unknown_output(prep: Command) -> object:
    @pipeline
    def wrong() -> None:
        _ = prep().outputs.dune

    return wrong()


def _unknown_input(prep: Command) -> object:
    @pipeline
    def wrong(rate: float) -> None:
        prep(rate=rate)

    return wrong(rat=1)


def _missing_input(prep: Command) -> object:
    @pipeline
    def wrong(rate: float) -> None:
        prep(rate=rate)

    return wrong()


def _returns_no_output(prep: Command) -> object:
    @pipeline
    def wrong() -> dict[str, object]:
        prep()
        return {"done": "somewhere"}

    return wrong()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (_outside, "called outside a pipeline"),
        (_unknown_output, "has no output `dune`; its outputs: `done`; did you mean `done`"),
        (_unknown_input, "has no input `rat`; its inputs: `rate`"),
        (_missing_input, "missing a required argument: 'rate'"),
        (_returns_no_output, "returns `done`, which is no output of one of its steps"),
    ],
)
def test_mistakes_are_told_where_they_are_made(
    prep: Command, mistake: Callable[[Command], object], message: str
) -> None:
    """Not first when the job is submitted."""
    with pytest.raises((UsageError, AttributeError), match=message):
        mistake(prep)


def test_a_failed_function_leaves_no_pipeline_open(prep: Command) -> None:
    """The next cell may start anew."""

    @pipeline
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with pytest.raises(UsageError, match="outside"):
        prep()


def test_a_file_with_overrides_is_loaded(folder: Path) -> None:
    """As `--set` does it; a file of another kind is refused with what it is."""
    (folder / "job.yml").write_text(
        "command: ls\nenvironment: azureml:e:1\ninputs: {rate: 1}\n", encoding="utf-8"
    )

    assert load_job("job.yml", overrides={"inputs.rate": 2}).data["inputs"]["rate"] in (2, "2")
    with pytest.raises(InvalidDocument, match="does not exist"):
        load_job("jop.yml")


def test_an_input_that_is_none_is_left_out_at_every_level(folder: Path) -> None:
    """As an optional input of a YAML file without a value: its steps leave it out too."""
    train = command(
        "ls $[[--n ${{inputs.n}}]]", environment=ENVIRONMENT, inputs={"n": 1}, code=folder / "src"
    )

    @pipeline
    def inner(n: int | None = None) -> None:
        train(n=n)

    @pipeline
    def outer(n: int | None = None) -> None:
        train(n=n)
        inner(n=n)
        inner()

    data = outer().data

    assert data["inputs"] == {"n": {"optional": True}}
    assert outer(n=3).data["inputs"] == {"n": 3}


def test_outputs_of_steps_and_pipelines_may_have_names(prep: Command) -> None:
    """A step's by its settings, which leave what is bound as it is; a pipeline's where it is called."""

    @pipeline
    def rates() -> dict[str, object]:
        first, second = prep(), prep()
        first.settings["outputs"] = {"done": Output(name="rates", version="2")}
        second.settings["outputs"] = {"done": Output(mode="upload")}
        return {"done": second.outputs.done}

    data = rates().with_outputs(done=Output(name="last")).data

    named = {"type": "uri_folder", "name": "rates", "version": "2"}
    assert data["jobs"]["prep"]["outputs"] == {"done": named}
    assert data["jobs"]["prep_2"]["outputs"] == {"done": "${{parent.outputs.done}}"}
    assert data["outputs"] == {"done": {"type": "uri_folder", "name": "last"}}
    with pytest.raises(UsageError, match="no output `don`"):
        rates().with_outputs(don=Output(name="last"))


def test_a_registered_component_is_no_file_to_register() -> None:
    """What is registered has a version; a new one comes from a file."""
    with pytest.raises(UsageError, match="registered already"):
        load_component("azureml:prep@latest").document()
