"""The support table and the JSON Schemas are what the models say."""

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.resources import documents, support
from penstock.resources.model_base import Part, note_of, status_of
from tests.resources.corpus import GOOD, read

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "support.md"


def test_the_page_is_what_the_models_say() -> None:
    """Mend it with `python -m penstock.resources.support > docs/reference/support.md`."""
    assert PAGE.read_text(encoding="utf-8") == support.table()


def test_every_field_that_has_no_effect_says_why() -> None:
    """A warning without a reason helps nobody."""
    for model in subclasses(Part):
        for key, info in model.known_fields().items():
            assert status_of(info) != "warned" or note_of(info), f"{model.__name__}.{key}"


def test_every_model_is_in_the_table() -> None:
    """Or is a variant of one that is."""
    shown = {model for _, _, parts in support.SECTIONS for _, model in parts}

    for model in subclasses(Part):
        has_relative = any(issubclass(each, model) or issubclass(model, each) for each in shown)
        assert model in shown or has_relative, model


def subclasses(model: type[Part]) -> list[type[Part]]:
    """Those of the package, not of tests."""
    found = [each for each in model.__subclasses__() if each.__module__.startswith("penstock.")]
    return found + [deeper for each in found for deeper in subclasses(each)]


@pytest.mark.parametrize("kind", documents.MODELS)
def test_every_kind_has_a_schema_for_editors(kind: str) -> None:
    """Plain JSON whose references all lead somewhere."""
    schema = documents.json_schema(kind)

    text = json.dumps(schema)
    for reference in _references(schema):
        assert reference.removeprefix("#/$defs/") in schema["$defs"]
    assert "\\u0000" not in text


def test_an_editor_accepts_files_as_they_are_written() -> None:
    """Paths that are not read yet, outputs of nothing, `$schema`."""
    validator = pytest.importorskip("jsonschema_rs")
    job = validator.validator_for(documents.json_schema("job"))
    environment = validator.validator_for(documents.json_schema("environment"))

    for kind, text in GOOD.values():
        if kind == "job" and "status: Completed" not in text:
            assert job.is_valid(read(text)), list(map(str, job.iter_errors(read(text))))
    component = validator.validator_for(documents.json_schema("component"))
    assert component.is_valid(
        {"command": "x", "environment": "azureml:e@latest", "additional_includes": ["../lib", "../words.zip"]}
    )
    assert component.is_valid({"type": "pipeline", "jobs": {"a": {"component": "azureml:c@latest"}}})
    assert not component.is_valid({"command": "x", "environment": "e", "additional_includes": "../lib"})
    assert environment.is_valid({"$schema": "x", "name": "e", "image": "x", "conda_file": "conda.yml"})
    assert job.is_valid({"type": "pipeline", "jobs": {"a": {"component": "./train.yml"}}})
    assert not environment.is_valid({"name": "e", "imge": "x"})
    compute = validator.validator_for(documents.json_schema("compute"))
    assert compute.is_valid({"name": "c", "type": "amlcompute", "max_instances": 1})
    assert not compute.is_valid({"name": "c", "type": "amlcompute", "max_instances": 0})
    assert not job.is_valid({"type": "pipeline", "jobs": {"a": {"command": ["x"]}}})


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []
