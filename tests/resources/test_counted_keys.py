"""The keys that public files use for what exists here, counted over some five hundred of them: each is understood.

What belongs to the cloud alone is recorded with a warning; what is not here yet is refused by its name.
"""

from pathlib import Path

import pytest

from penstock.resources.validation import validate_file

PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: counted
experiment_name: counted
description: every key
tags: {a: b}
compute: azureml:cpu
settings:
  default_compute: azureml:cpu
  default_datastore: azureml:workspaceblobstore
  continue_on_step_failure: false
  force_rerun: true
inputs:
  folder: {type: uri_folder, mode: direct, path: "azureml://datastores/workspaceblobstore/paths/x/"}
  address: {type: uri_file, mode: download, path: "wasbs://container@account.blob.core.windows.net/x.csv"}
  page: {type: uri_file, path: "https://example.com/x.csv"}
  mounted: {type: uri_folder, mode: ro_mount, path: "azureml:rides:3"}
  shared: {type: uri_folder, path: "azureml://registries/shared/data/rides/versions/1"}
  old: {type: path, path: ./here}
  table: {type: mltable, mode: eval_mount, path: "azureml:t@latest"}
  text: {type: string, default: x}
  whole: {type: integer, default: 3}
  yes_or_no: {type: boolean, default: true}
  number: {type: number, default: 0.5}
  model: {type: mlflow_model, path: "azureml:m@latest"}
  own_model: {type: custom_model, path: "azureml:m:1"}
outputs:
  mounted: {type: uri_folder, mode: rw_mount}
  uploaded: {type: uri_folder, mode: upload, path: "azureml://datastores/workspaceblobstore/paths/${{name}}/"}
  also: {type: uri_file, mode: mount}
  model: {type: mlflow_model, mode: upload}
  direct: {mode: direct, type: path}
  own: {type: custom_model}
  table: {type: mltable}
  named: {type: uri_folder, name: kept, version: "1"}
jobs:
  one:
    type: command
    display_name: one
    description: a step
    code: ./src
    command: echo ${{inputs.text}} $[[--x ${{inputs.more}}]]
    environment: azureml:e@latest
    compute: azureml:gpu
    inputs: {text: "${{parent.inputs.text}}", more: 4}
    resources: {instance_count: 2, instance_type: STANDARD_D2, shm_size: 8g}
    outputs:
      mounted: ${{parent.outputs.mounted}}
      uploaded: ${{parent.outputs.uploaded}}
      also: ${{parent.outputs.also}}
      model: ${{parent.outputs.model}}
      direct: ${{parent.outputs.direct}}
      own: ${{parent.outputs.own}}
      table: ${{parent.outputs.table}}
      named: ${{parent.outputs.named}}
    services: {my_jupyter: {type: jupyter_lab}}
    limits: {timeout: 300}
    identity: {type: user_identity}
    environment_variables: {AZUREML_COMPUTE_USE_COMMON_RUNTIME: "true"}
    distribution: {type: pytorch, process_count_per_instance: 1}
  two:
    command: cat ${{inputs.before}}
    environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
    inputs: {before: "${{parent.jobs.one.outputs.mounted}}"}
  three:
    command: cat ${{inputs.before}}
    environment: {image: "python:3.10", conda_file: conda.yml}
    inputs: {before: {type: uri_folder, path: "${{parent.jobs.one.outputs.mounted}}", mode: download}}
  four:
    component: ./step.yml
    inputs: {size: 3}
"""
COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: step
display_name: Step
version: 0.0.1
type: command
description: a step
tags: {a: b}
is_deterministic: false
inputs:
  size: {type: integer, default: 4, min: 1, max: 10, description: how many, optional: true}
  kind: {type: string, enum: [a, b], default: a}
outputs:
  made: {type: uri_folder, mode: upload}
code: ./src
environment: azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest
command: echo $[[--size ${{inputs.size}}]] ${{inputs.kind}} ${{outputs.made}}
distribution: {type: mpi, process_count_per_instance: 1}
resources: {instance_count: 1}
"""
OTHERS = {
    "command": "command: a\ncode: ./src\nenvironment: azureml:e:1\ncompute: azureml:cpu\nexperiment_name: x\n"
    "display_name: x\ndescription: x\ntags: {a: b}\ntype: command\nlimits: {timeout: 30}\nidentity: {type: managed}\n"
    "inputs: {number: 3, file: {path: 'https://example.com/a.csv', type: uri_file}}\noutputs: {o: {}}\n"
    "resources: {instance_count: 1, instance_type: cpu}\nenvironment_variables: {A: b}\n"
    "distribution: {type: tensorflow, worker_count: 1}\nservices: {a: {type: tensor_board, log_dir: logs}}\n",
    "compute": "name: c\ntype: amlcompute\nsize: STANDARD_DS3\nmin_instances: 0\nmax_instances: 4\n"
    "idle_time_before_scale_down: 120\ntier: low_priority\nlocation: westus\nssh_settings: {admin_username: me}\n"
    "identity: {type: user_assigned, user_assigned_identities: [{resource_id: /subscriptions/x}]}\n",
    "data": "$schema: https://azuremlschemas.azureedge.net/latest/data.schema.json\nname: d\ntype: uri_folder\npath: ./here\n"
    "description: x\n",
    "model": "$schema: https://azuremlschemas.azureedge.net/latest/model.schema.json\nname: m\npath: ./here\ntype: custom_model\n"
    "version: 2\ndescription: x\nproperties: {a: b}\n",
    "environment with routes": "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: e\nversion: 1\n"
    "image: python:3.11\ndescription: x\ntags: {a: b}\ninference_config: {liveness_route: {port: 5001, path: /}, "
    "readiness_route: {port: 5001, path: /}, scoring_route: {port: 5001, path: /score}}\n",
    "environment of a folder": "$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json\nname: e\nbuild: {path: ./docker}\n",
    "workspace": "$schema: https://azuremlschemas.azureedge.net/latest/workspace.schema.json\nname: team\nlocation: eastus\n"
    "display_name: W\ndescription: x\ntags: {a: b}\nhbi_workspace: false\nmanaged_network: {isolation_mode: disabled}\n"
    "image_build_compute: c\npublic_network_access: Disabled\nstorage_account: s\ncontainer_registry: r\nkey_vault: k\n"
    "application_insights: i\ncustomer_managed_key: {key_vault: k, key_uri: u}\n",
    "registry": "name: shared\ntags: {a: b}\nlocation: eastus\nreplication_locations: [{location: eastus}]\n",
} | {
    f"datastore {kind} {number}": f"$schema: https://azuremlschemas.azureedge.net/latest/{kind}.schema.json\nname: d\ntype: {kind}\n"
    f"description: x\n{place}\n{credentials}\n"
    for kind, place in (
        ("azure_blob", "account_name: a\ncontainer_name: c\nprotocol: https"),
        ("azure_file", "account_name: a\nfile_share_name: s"),
        ("azure_data_lake_gen2", "account_name: a\nfilesystem: f"),
        ("azure_data_lake_gen1", "store_name: s"),
    )
    for number, credentials in enumerate(
        ("", "credentials: {tenant_id: t, client_id: c, client_secret: s}")
        if "lake" in kind
        else ("", "credentials: {account_key: k}", "credentials: {sas_token: s}")
    )
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "README.md": "", "here/a.csv": "a\n", "src/a.py": "", "docker/Dockerfile": "FROM python:3.11\n",
        "conda.yml": "dependencies: [pip]\n", "pipeline.yml": PIPELINE, "step.yml": COMPONENT,
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["pipeline.yml", "step.yml"])
def test_the_keys_of_public_pipelines_and_components_are_understood(project: Path, name: str) -> None:
    """Every attribute of inputs and outputs, every form of a reference, of an environment, of a compute."""
    verdict = validate_file(project / name)

    assert [(each.pointer, each.message) for each in verdict.problems] == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_keys_of_other_public_files_are_understood(project: Path, name: str) -> None:
    """What means nothing on this machine is recorded, and a warning says so."""
    (project / "file.yml").write_text(OTHERS[name], encoding="utf-8")
    kind = name.split()[0]

    verdict = validate_file(project / "file.yml", kind="job" if kind == "command" else kind)

    assert [(each.pointer, each.message) for each in verdict.problems] == []


@pytest.mark.parametrize(
    "override",
    [
        "compute=azureml:other",
        "settings.default_compute=azureml:other",
        "settings.force_rerun=True",
        "experiment_name=another",
        "display_name=two words",
        "description='quoted text with = in it'",
        "tags.hello=world",
        "name=a-name",
        "inputs.text=hi",
        "inputs.whole=5",
        "inputs.number=1e-5",
        "inputs.yes_or_no=true",
        "inputs.folder.path=azureml:rides@latest",
        "inputs.model.path=azureml://registries/shared/models/m/versions/1",
        "jobs.one.resources.instance_count=3",
        "jobs.four.component=azureml:step@latest",
        "jobs.three.environment.image=python:3.11",
        "jobs.one.environment_variables.STORAGE_ACCOUNT_NAME=mine",
        "jobs.one.environment=azureml:e@latest",
    ],
)
def test_the_set_of_public_scripts_is_understood(project: Path, override: str) -> None:
    """Dotted keys, references with a label, numbers, texts with `=` in them."""
    verdict = validate_file(project / "pipeline.yml", overrides=[override])

    assert [(each.pointer, each.message) for each in verdict.problems] == []


def test_an_index_may_stand_in_a_set(project: Path) -> None:
    """`identity.user_assigned_identities[0].resource_id=…`."""
    (project / "file.yml").write_text(OTHERS["compute"], encoding="utf-8")
    override = "identity.user_assigned_identities[0].resource_id=/subscriptions/y"

    assert validate_file(project / "file.yml", kind="compute", overrides=[override]).problems == ()


@pytest.mark.parametrize("kind", ["synapsespark", "computeinstance", "virtualmachine"])
def test_a_compute_that_is_not_here_is_refused_by_its_type(project: Path, kind: str) -> None:
    """Not as an unknown word."""
    (project / "file.yml").write_text(f"name: c\ntype: {kind}\n", encoding="utf-8")

    problems = validate_file(project / "file.yml", kind="compute").problems

    assert [each.code for each in problems if each.pointer == "/type"] == ["unsupported"]


@pytest.mark.parametrize("kind", ["automl", "spark", "sweep", "finetuning", "parallel"])
def test_a_job_that_is_not_here_is_refused_by_its_type(project: Path, kind: str) -> None:
    """Alone and as a step."""
    (project / "file.yml").write_text(f"type: {kind}\n", encoding="utf-8")
    (project / "around.yml").write_text(f"type: pipeline\njobs: {{a: {{type: {kind}}}}}\n", encoding="utf-8")

    for file in ("file.yml", "around.yml"):
        problems = validate_file(project / file, kind="job").problems
        assert "unsupported" in [each.code for each in problems if each.pointer.endswith("/type")]
