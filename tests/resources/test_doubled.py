"""`$${{…}}`, a slip of real projects: where it is mended, where it is text, and how its author is told."""

from pathlib import Path

import pytest

from penstock.errors import InvalidDocument
from penstock.resources import documents
from penstock.resources.doubled import mended
from penstock.resources.job import CommandJob
from penstock.resources.validation import validate_file

PIPELINE = """\
type: pipeline
description: costs $${{inputs.data}}
inputs:
  data: {type: string}
jobs:
  tags:
    command: >-
      echo ${{inputs.description}}
      --config $${{inputs.description}}
    environment: {image: python, conda_file: {name: $${{inputs.x}}}}
    inputs:
      description: $${{parent.inputs.data}}
    environment_variables: {NAME: "$${{inputs.description}}"}
    compute: c
"""


def written(folder: Path, text: str, name: str = "pipeline.yml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_each_field_is_mended_and_told_with_its_line(tmp_path: Path) -> None:
    """A command, an input, a variable; a description and a conda file are no places for expressions."""
    file = written(
        tmp_path,
        PIPELINE.replace("{type: string}", "some").replace(", conda_file: {name: $${{inputs.x}}}", ""),
    )

    verdict = validate_file(file)

    assert verdict.problems == ()
    told = {
        (each.line, each.pointer): each.message for each in verdict.warnings if "too many" in each.message
    }
    assert set(told) == {
        (7, "/jobs/tags/command"),
        (12, "/jobs/tags/inputs/description"),
        (13, "/jobs/tags/environment_variables/NAME"),
    }
    said = "`$${{inputs.description}}` has a `$` too many; it is taken as `${{inputs.description}}`"
    assert told[7, "/jobs/tags/command"] == said


def test_what_is_kept_says_the_meant_form() -> None:
    """The model is made of the mended document; what was given is left as it is."""
    given = {"command": "echo $${{inputs.x}} $$", "environment": "azureml:e@latest", "inputs": {"x": "one"}}

    kept = documents.parse("job", given).resource

    assert isinstance(kept, CommandJob)
    assert kept.command == "echo ${{inputs.x}} $$"
    assert given["command"] == "echo $${{inputs.x}} $$"


@pytest.mark.parametrize(
    "text",
    [
        "echo $$",
        "echo $$$${{inputs.x}}",
        "pid $$${{inputs.x}}",
        "$${inputs.x}",
        "$$(date)",
        "$${{inputs.x",
        "$$$[[ a ]]",
    ],
)
def test_everything_else_of_the_shell_is_left_as_it_is(text: str) -> None:
    """Also more dollars than two: the shell's own `$$` may stand before an expression."""
    document = {"command": text}

    found, told = mended(document)

    assert found is document
    assert told == []


def test_nothing_is_mended_in_texts_for_people() -> None:
    """Tags, properties and descriptions, also those of an input; an input that is called `tags` is an input."""
    document = {
        "tags": {"a": "$${{x}}"},
        "properties": {"a": "$${{x}}"},
        "inputs": {"y": {"description": "$${{x}}", "path": "$${{x}}"}, "tags": "$${{x}}"},
    }

    found, told = mended(document)

    assert [each.pointer for each in told] == ["/inputs/y/path", "/inputs/tags"]
    assert found == document | {
        "inputs": {"y": {"description": "$${{x}}", "path": "${{x}}"}, "tags": "${{x}}"}
    }


def test_two_slips_in_one_field_are_one_warning() -> None:
    """Both are named."""
    _, (told,) = mended({"command": "a $${{inputs.x}} $${{inputs.y}} $${{inputs.x}}"})

    assert told.message == (
        "`$${{inputs.x}}` and `$${{inputs.y}}` have a `$` too many; they are taken as `${{inputs.x}}` and `${{inputs.y}}`"
    )


def test_a_component_file_of_three_steps_is_told_once(tmp_path: Path) -> None:
    """At its own line, not at each step that uses it; equal slips in several steps are told for each of them."""
    written(
        tmp_path,
        "name: c\ntype: command\ninputs: {x: {type: string}}\nenvironment: {image: python}\n"
        "command: echo $${{inputs.x}}\n",
        "component.yml",
    )
    uses = "".join(
        f"  {step}:\n    component: ./component.yml\n    compute: c\n    inputs:\n      x: $${{{{parent.inputs.x}}}}\n"
        for step in ("a", "b", "c")
    )

    verdict = validate_file(written(tmp_path, f"type: pipeline\ninputs: {{x: one}}\njobs:\n{uses}"))

    assert verdict.problems == ()
    told = [
        (Path(each.file or "").name, each.line) for each in verdict.warnings if "too many" in each.message
    ]
    assert sorted(told) == [
        ("component.yml", 5),
        ("pipeline.yml", 8),
        ("pipeline.yml", 13),
        ("pipeline.yml", 18),
    ]


def test_a_doubled_dollar_before_a_fragment_is_refused_where_it_stands() -> None:
    """`$$[[ … ]]` in a command."""
    with pytest.raises(InvalidDocument) as caught:
        documents.parse("job", {"command": "a $$[[ b ]]", "environment": "azureml:e@latest"})

    (problem,) = caught.value.problems
    assert (problem.pointer, problem.message) == ("/command", "`$$[[` has a `$` too many")


def test_set_is_named_as_the_place_of_a_slip(tmp_path: Path) -> None:
    """`--set` has no line."""
    file = written(tmp_path, "command: a\nenvironment: {image: python}\ninputs: {x: one}\n")

    verdict = validate_file(file, overrides=["command=echo $${{inputs.x}}"])

    (told,) = [each for each in verdict.warnings if "too many" in each.message]
    assert (told.file, told.line or 0) == ("--set command=echo $${{inputs.x}}", 0)
