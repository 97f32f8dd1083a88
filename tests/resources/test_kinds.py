"""Telling what kind of file a document is."""

import pytest

from penstock.resources.kinds import advice, described, kind_of
from penstock.resources.yaml_source import load_yaml


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{type: pipeline, jobs: {}, settings: {default_compute: x}}", "job"),
        ("{command: python a.py, environment: x}", "job"),
        ("{type: command, command: x, inputs: {a: {type: uri_file, path: x}}}", "job"),
        ("{type: command, command: x, inputs: {a: {type: uri_folder}}}", "job"),
        ("{type: sweep, trial: {}, compute: x}", "job"),
        ("{type: command, command: x, inputs: {a: {type: number, default: 1}}}", "component"),
        ("{type: command, name: x, version: 1, command: x}", "component"),
        ("{type: pipeline, version: 1, jobs: {}}", "component"),
        ("{$schema: 'https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json', type: command, command: x}", "component"),
        ("{type: pipeline, version: 1, settings: {}, jobs: {}}", "job"),
        ("{$schema: 'https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json', version: 1, command: x, limits: {}}", "component"),
        ("{$schema: 'https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json', command: x, compute: y}", "job"),
        ("{image: x, conda_file: y}", "environment"),
        ("{name: e, build: {path: .}}", "environment"),
        ("{channels: [a], dependencies: [b]}", "conda"),
        ("{name: c, dependencies: [b]}", "conda"),
        ("{type: uri_file, path: x}", "data"),
        ("{type: mlflow_model, path: x}", "model"),
        ("{type: amlcompute, size: x}", "compute"),
        ("{type: azure_blob, account_name: x}", "datastore"),
        ("{name: b, endpoint_name: e, model: x}", "online-deployment"),
        ("{type: kubernetes, name: b, endpoint_name: e, model: x}", "online-deployment"),
        ("{type: model, name: b, endpoint_name: e, settings: {}}", "batch-deployment"),
        ("{name: e, auth_mode: key}", "online-endpoint"),
        ("{name: e, auth_mode: aad_token, defaults: {}}", "batch-endpoint"),
        ("{name: s, trigger: {}, create_job: x}", "schedule"),
        ("{name: w, key_vault: x}", "workspace"),
        ("{name: c, type: git, target: x, credentials: {}}", "connection"),
        ("{type: finetuning, task: x}", "job"),
        ("{$schema: 'https://azuremlschemas.azureedge.net/latest/model.schema.json', name: x, path: y}", "model"),
        ("{$schema: 'http://azureml/sdk-2-0/Data.json', name: x, path: y}", "data"),
        ("{name: x, path: y}", None),
        ("{type: [1]}", None),
        ("[]", None),
        ("x", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_content_shows_the_kind(text: str, kind: str | None) -> None:
    """Content decides, `$schema` only where content leaves it open; where it stays open, nothing is guessed."""
    assert kind_of(load_yaml(text, name="x.yml")) == kind


def test_a_kind_has_an_article_and_a_next_step() -> None:
    """Messages say `an environment`, and how to use such a file."""
    assert described("environment") == "an environment"
    assert described("batch-endpoint") == "a batch endpoint"
    assert advice("environment", "env.yml") == "create it with `penstock environment create -f env.yml`"
    assert advice("component", "c.yml") == (
        "use it in a step of a pipeline, as `component: ./c.yml`, or create it with `penstock component create -f c.yml`"
    )
    assert advice("schedule", "s.yml") is None
