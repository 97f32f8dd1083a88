"""A file of any kind is judged alone: no server, no workspace, nothing uploaded."""

from pathlib import Path

import pytest

from penstock.resources.validation import validate_file

KINDS = {
    "job": "command: python -V\nenvironment: azureml:e:1\ncompute: azureml:pool\n",
    "component": "type: command\nname: prep\nversion: 1\ncommand: python -V\nenvironment: azureml:e:1\n",
    "environment": "name: e\nimage: python:3.11\n",
    "data": "name: d\ntype: uri_file\npath: d.csv\n",
    "model": "name: m\ntype: custom_model\npath: d.csv\n",
    "compute": "name: pool\ntype: amlcompute\nmax_instances: 2\n",
    "workspace": "name: team\nhbi_workspace: false\nsettings: {url_map: ./urls.yml}\n",
    "datastore": "name: lake\ntype: local\npath: ./lake\n",
    "mltable": "type: mltable\npaths: [{file: ./d.csv}]\n",
    "registry": "name: shared\n$schema: https://example.org/registry.schema.json\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d.csv").write_text("x\n1\n", encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    file = folder / "file.yml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_good_file_of_each_kind_is_recognised_and_passes(folder: Path, kind: str) -> None:
    """The kind is told from the content; local files need not be uploaded for the verdict."""
    verdict = validate_file(written(folder, KINDS[kind]))

    assert (verdict.kind, verdict.problems) == (kind, ())


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"component"}))
def test_an_unknown_field_of_each_kind_is_found_at_its_line(folder: Path, kind: str) -> None:
    """One problem, with the line of the field."""
    text = KINDS[kind] + "colour: red\n"

    (problem,) = validate_file(written(folder, text)).problems

    assert problem.pointer == "/colour"
    assert problem.line == text.count("\n")


def test_all_problems_come_at_once(folder: Path) -> None:
    """What reading finds (a missing file) and what the models find (a wrong type) are in one list."""
    text = KINDS["job"] + "code: ./nowhere\nlimits: {timeout: soon}\n"

    pointers = {problem.pointer for problem in validate_file(written(folder, text)).problems}

    assert pointers == {"/code", "/limits/timeout"}


def test_what_flags_say_counts_before_the_file(folder: Path) -> None:
    """`--name` fills in what the file lacks, `--set` changes what it says."""
    file = written(folder, "type: uri_file\npath: d.csv\n")

    assert [problem.pointer for problem in validate_file(file).problems] == ["/name"]
    assert validate_file(file, fields={"name": "d"}).ok
    assert not validate_file(file, overrides=["type=uri_folder"], fields={"name": "d"}).ok


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("name: e\nauth_mode: key\n", "online-endpoint"),
        ("name: blue\nendpoint_name: e\n", "online-deployment"),
        ("name: s\ncreate_job: azureml:j\ntrigger: {type: cron}\n", "schedule"),
        ("dependencies: [python]\n", "conda"),
    ],
)
def test_a_kind_that_is_not_here_yet_is_called_unsupported(folder: Path, text: str, kind: str) -> None:
    """It is recognised for what it is, and refused by name."""
    verdict = validate_file(written(folder, text))

    assert verdict.kind == kind
    assert [problem.code for problem in verdict.problems] == ["unsupported"]


def test_a_file_that_could_be_anything_asks_for_its_kind(folder: Path) -> None:
    """`name` and `description` fit everything; said to be data, it lacks its path."""
    file = written(folder, "name: thing\ndescription: what\n")

    verdict = validate_file(file)

    assert verdict.kind is None
    assert "--kind" in str(verdict.problems[0].hint)
    assert "/path" in [problem.pointer for problem in validate_file(file, kind="data").problems]


@pytest.mark.parametrize(("text", "code"), [("a: [\n", "syntax"), ("", "invalid"), ("- a\n", "invalid")])
def test_what_is_no_document_is_said_to_be_none(folder: Path, text: str, code: str) -> None:
    """Broken YAML, an empty file and a list are problems with a place, not exceptions."""
    (problem,) = validate_file(written(folder, text), kind="job").problems

    assert (problem.code, problem.line is not None) == (code, True)


def test_a_missing_file_is_a_problem_too(folder: Path) -> None:
    """So that a caller who reads JSON gets JSON."""
    (problem,) = validate_file(folder / "nowhere.yml").problems

    assert problem.code == "missing"
