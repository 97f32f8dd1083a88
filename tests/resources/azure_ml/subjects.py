"""The kinds of files, each with a file that is right and the values tried in its fields."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.resources.azure_ml.corpus import (
    ABSENT,
    AROUND,
    CODES,
    COMPUTES,
    DATA_PATHS,
    DISTRIBUTIONS,
    ENVIRONMENTS,
    IDENTITIES,
    INPUT_VALUES,
    LIMITS,
    OUTPUT_VALUES,
    PORTS_IN,
    PORTS_OUT,
    QUEUES,
    RESOURCES,
    SERVICES,
    TAGS,
    TEXTS,
    VARIABLES,
    VERSIONS,
    Case,
    Subject,
    Values,
)

_COMMANDS: Final[Values] = (
    "python train.py",
    "echo $HOME && ls | wc",
    "a\nb\n",
    "",
    5,
    ["python"],
    None,
    ABSENT,
)
_TRUTHS: Final[Values] = (True, False, "true", "yes", "maybe", 1, 2, None)
_JOB_NAMES: Final[Values] = ("run_1", "run-1", "run 1", "run/1", "", 5, None)
_ASSET_NAMES: Final[Values] = ("a_b-c.1", "a b", "a/b", "a:b", "", 5, None, ABSENT)
_COMPONENT_NAMES: Final[Values] = ("prep_1", "prep-1", "Prep", "1prep", "prep.data", "", 5, None)
_STEP: Final[Mapping[str, Any]] = {"command": "python train.py", "code": "src", "environment": "azureml:e:1"}
_USE: Final[Mapping[str, Any]] = {
    "component": "component.yml",
    "inputs": {"rides": {"type": "uri_folder", "path": "data"}},
}

COMMAND_JOB = Subject(
    kind="job",
    base={"type": "command", **_STEP, "compute": "azureml:pool"},
    fields={
        "type": ("command", "Command", "comand", 5, ABSENT),
        "$schema": ("https://azuremlschemas.azureedge.net/latest/commandJob.schema.json", "anything", 5),
        "name": _JOB_NAMES,
        "display_name": TEXTS,
        "experiment_name": TEXTS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "command": _COMMANDS,
        "code": CODES,
        "environment": ENVIRONMENTS,
        "environment_variables": VARIABLES,
        "compute": (*COMPUTES, ABSENT),
        "inputs": INPUT_VALUES,
        "outputs": OUTPUT_VALUES,
        "limits": LIMITS,
        "resources": RESOURCES,
        "distribution": DISTRIBUTIONS,
        "services": SERVICES,
        "identity": IDENTITIES,
        "queue_settings": QUEUES,
        "parent_job_name": ("other_job", 5, None),
        "status": ("Completed",),
        "creation_context": ({"created_by": "someone"},),
        "id": ("azureml:/subscriptions/s",),
        "colour": ("red",),
    },
    wholes={
        "uses an input": "command: echo ${{inputs.x}}\nenvironment: azureml:e:1\ninputs: {x: 1}\n",
        "uses an undeclared input": "command: echo ${{inputs.y}}\nenvironment: azureml:e:1\ninputs: {x: 1}\n",
        "an unknown expression": "command: echo ${{secrets.x}}\nenvironment: azureml:e:1\n",
        "blanks in an expression": "command: echo ${{ inputs.x }}\nenvironment: azureml:e:1\ninputs: {x: 1}\n",
        "empty": "",
        "a list": "- command\n",
        "a key twice": "command: a\ncommand: b\nenvironment: azureml:e:1\n",
    },
)

PIPELINE_JOB = Subject(
    kind="job",
    base={"type": "pipeline", "settings": {"default_compute": "azureml:pool"}, "jobs": {"prep": dict(_STEP)}},
    fields={
        "type": ("pipeline", "Pipeline", "pipelines"),
        "name": _JOB_NAMES,
        "display_name": TEXTS,
        "experiment_name": TEXTS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "inputs": INPUT_VALUES,
        "outputs": OUTPUT_VALUES,
        "compute": COMPUTES,
        "identity": IDENTITIES,
        "services": SERVICES,
        "parent_job_name": ("other_job",),
        "settings": (
            {"default_compute": "azureml:pool", "default_datastore": "azureml:workspaceblobstore"},
            {"default_compute": "azureml:pool", "continue_on_step_failure": False},
            {"default_compute": "azureml:pool", "continue_on_step_failure": "maybe"},
            {"default_compute": "azureml:pool", "force_rerun": True},
            {"default_compute": "azureml:pool", "colour": "red"},
            {"default_compute": "pool"},
            {"default_compute": "serverless"},
            {"default_compute": "azureml:pool", "default_datastore": "store"},
            "azureml:pool",
            None,
        ),
        "jobs": (
            {"S1": dict(_STEP)},
            {"_s": dict(_STEP)},
            {"1s": dict(_STEP)},
            {"s-1": dict(_STEP)},
            {"s": None},
            {"s": 5},
            {"s": "azureml:c:1"},
            {},
            [],
            None,
            ABSENT,
        ),
        "component": ("component.yml", "azureml:c:1"),
        "colour": ("red",),
    },
    wholes={
        "a binding": """\
type: pipeline
inputs: {rides: {type: uri_folder, path: data}}
outputs: {done: {type: uri_folder}}
settings: {default_compute: azureml:pool}
jobs:
  prep:
    component: component.yml
    inputs: {rides: "${{parent.inputs.rides}}"}
    outputs: {done: "${{parent.outputs.done}}"}
""",
        "steps in a chain": """\
type: pipeline
inputs: {rides: {type: uri_folder, path: data}}
settings: {default_compute: azureml:pool}
jobs:
  one: {component: component.yml, inputs: {rides: "${{parent.inputs.rides}}"}}
  two: {component: component.yml, inputs: {rides: "${{parent.jobs.one.outputs.done}}"}}
""",
        "a circle": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs:
  one: {component: component.yml, inputs: {rides: "${{parent.jobs.two.outputs.done}}"}}
  two: {component: component.yml, inputs: {rides: "${{parent.jobs.one.outputs.done}}"}}
""",
        "a step that is not there": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs:
  one: {component: component.yml, inputs: {rides: "${{parent.jobs.zero.outputs.done}}"}}
""",
        "an input that is not there": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs:
  one: {component: component.yml, inputs: {rides: "${{parent.inputs.rides}}"}}
""",
        "a component without its input": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs: {one: {component: component.yml}}
""",
        "an input that the component does not have": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs: {one: {component: component.yml, inputs: {rides: {path: data}, colour: red}}}
""",
        "no compute anywhere": """\
type: pipeline
jobs: {one: {component: component.yml, inputs: {rides: {path: data}}}}
""",
        "a quoted number for a number": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs: {one: {component: component.yml, inputs: {rides: {path: data}, rate: "0.1"}}}
""",
        "words for a number": """\
type: pipeline
settings: {default_compute: azureml:pool}
jobs: {one: {component: component.yml, inputs: {rides: {path: data}, rate: fast}}}
""",
        "local compute in a pipeline": """\
type: pipeline
jobs: {one: {component: component.yml, compute: local, inputs: {rides: {path: data}}}}
""",
    },
)

STEP = Subject(
    kind="job",
    base={"type": "pipeline", "settings": {"default_compute": "azureml:pool"}, "jobs": {"s": dict(_STEP)}},
    fields={
        f"jobs.s.{name}": values
        for name, values in {
            "type": ("command", "Command", "comand"),
            "command": _COMMANDS,
            "code": CODES,
            "environment": ENVIRONMENTS,
            "environment_variables": VARIABLES,
            "compute": COMPUTES,
            "display_name": TEXTS,
            "description": TEXTS,
            "comment": TEXTS,
            "tags": TAGS,
            "properties": TAGS,
            "inputs": INPUT_VALUES,
            "outputs": OUTPUT_VALUES,
            "limits": LIMITS,
            "resources": RESOURCES,
            "distribution": DISTRIBUTIONS,
            "services": SERVICES,
            "identity": IDENTITIES,
            "queue_settings": QUEUES,
            "colour": ("red",),
        }.items()
    },
)

COMPONENT_STEP = Subject(
    kind="job",
    base={"type": "pipeline", "settings": {"default_compute": "azureml:pool"}, "jobs": {"s": dict(_USE)}},
    fields={
        "jobs.s.component": (
            "component.yml",
            "file:component.yml",
            "./component.yml",
            "azureml:c:1",
            "azureml:c@latest",
            "azureml:c@default",
            "azureml:c",
            "azureml://registries/r/components/c/versions/1",
            "azureml://registries/r/components/c/labels/latest",
            "nowhere.yml",
            "environment.yml",
            5,
            None,
        ),
        "jobs.s.environment": ("azureml:e:1", {"image": "python:3.11"}, 5),
        "jobs.s.environment_variables": VARIABLES,
        "jobs.s.compute": COMPUTES,
        "jobs.s.resources": RESOURCES,
        "jobs.s.limits": LIMITS,
        "jobs.s.distribution": DISTRIBUTIONS,
        "jobs.s.colour": ("red",),
    },
)

COMMAND_COMPONENT = Subject(
    kind="component",
    base={"type": "command", "name": "prep", "version": "1", **_STEP},
    fields={
        "type": ("command", "Command", "comand", ABSENT),
        "name": _COMPONENT_NAMES,
        "version": VERSIONS,
        "display_name": TEXTS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "inputs": PORTS_IN,
        "outputs": PORTS_OUT,
        "command": _COMMANDS,
        "code": CODES,
        "environment": ENVIRONMENTS,
        "resources": RESOURCES,
        "distribution": DISTRIBUTIONS,
        "is_deterministic": _TRUTHS,
        "additional_includes": (
            ["data"],
            ["data/rides.csv"],
            ["nowhere"],
            ["data.zip"],
            "data",
            [5],
            [],
            None,
        ),
        "compute": ("azureml:pool",),
        "environment_variables": ({"A": "b"},),
        "limits": ({"timeout": 30},),
        "creation_context": ({"created_by": "someone"},),
        "colour": ("red",),
    },
    wholes={
        "an optional input outside its brackets": """\
type: command
name: prep
inputs: {x: {type: string, optional: true}}
command: echo ${{inputs.x}}
environment: azureml:e:1
""",
        "an optional input in its brackets": """\
type: command
name: prep
inputs: {x: {type: string, optional: true}}
command: echo $[[--x ${{inputs.x}}]]
environment: azureml:e:1
""",
        "an undeclared input": """\
type: command
name: prep
inputs: {x: {type: string}}
command: echo ${{inputs.y}}
environment: azureml:e:1
""",
    },
)

PIPELINE_COMPONENT = Subject(
    kind="component",
    base={
        "type": "pipeline",
        "name": "whole",
        "version": "1",
        "inputs": {"rides": {"type": "uri_folder"}},
        "outputs": {"done": {"type": "uri_folder"}},
        "jobs": {
            "prep": {
                "component": "component.yml",
                "inputs": {"rides": "${{parent.inputs.rides}}"},
                "outputs": {"done": "${{parent.outputs.done}}"},
            }
        },
    },
    fields={
        "name": _COMPONENT_NAMES,
        "version": VERSIONS,
        "display_name": TEXTS,
        "description": TEXTS,
        "tags": TAGS,
        "is_deterministic": _TRUTHS,
        "settings": ({"default_compute": "azureml:pool"}, None),
        "compute": ("azureml:pool",),
        "jobs": ({"prep": dict(_STEP)}, {"S1": dict(_STEP)}, {}, None, ABSENT),
        "colour": ("red",),
    },
)

ENVIRONMENT = Subject(
    kind="environment",
    base={"name": "e", "image": "python:3.11"},
    fields={
        "name": _ASSET_NAMES,
        "version": VERSIONS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "image": ("python:3.11", "mcr.microsoft.com/azureml/x@sha256:00", "", 5, None, ABSENT),
        "conda_file": (
            "conda.yml",
            "file:conda.yml",
            {"dependencies": ["python=3.11"]},
            "nowhere.yml",
            "src/train.py",
            5,
            [],
            None,
        ),
        "os_type": ("linux", "Linux", "windows", "amiga", None),
        "inference_config": (
            {
                "liveness_route": {"port": 5001, "path": "/"},
                "readiness_route": {"port": 5001, "path": "/"},
                "scoring_route": {"port": 5001, "path": "/score"},
            },
            {"scoring_route": {"port": 5001, "path": "/score"}},
            {"scoring_route": 5},
            None,
        ),
        "build": ({"path": "context"}, {"path": "nowhere"}),
        "datastore": ("azureml:workspaceblobstore", "workspaceblobstore", 5),
        "creation_context": ({"created_by": "someone"},),
        "colour": ("red",),
    },
    wholes={
        "a build context": "name: e\nbuild: {path: context}\n",
        "a build context with a Dockerfile": "name: e\nbuild: {path: context, dockerfile_path: Dockerfile}\n",
        "a build context that is not there": "name: e\nbuild: {path: nowhere}\n",
        "a conda file and no image": "name: e\nconda_file: conda.yml\n",
        "a conda file": "name: c\nchannels: [conda-forge]\ndependencies: [python=3.11]\n",
        "neither image nor build": "name: e\n",
        "a build context and a conda file": "name: e\nbuild: {path: context}\nconda_file: conda.yml\n",
    },
)

DATA = Subject(
    kind="data",
    base={"name": "rides", "type": "uri_folder", "path": "data"},
    fields={
        "name": _ASSET_NAMES,
        "version": VERSIONS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "type": ("uri_folder", "Uri_Folder", "uri_file", "mltable", "spreadsheet", None, ABSENT),
        "path": DATA_PATHS,
        "datastore": ("azureml:workspaceblobstore", "workspaceblobstore", 5),
        "auto_delete_setting": ({"condition": "created_greater_than", "value": "30d"}, "30d"),
        "expectations": ("rides.expectations.yml", {"rows": {"min": 1}}, {"rows": "many"}, "nowhere.yml", 5),
        "id": ("azureml:/subscriptions/s",),
        "colour": ("red",),
    },
    wholes={
        "a table": "name: t\ntype: mltable\npath: table\n",
        "a table without its file": "name: t\ntype: mltable\npath: data\n",
        "a file": "name: f\ntype: uri_file\npath: data/rides.csv\n",
    },
)

MODEL = Subject(
    kind="model",
    base={"name": "m", "path": "model"},
    fields={
        "name": _ASSET_NAMES,
        "version": VERSIONS,
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "type": ("custom_model", "mlflow_model", "triton_model", "MLflow_Model", "onnx", None),
        "path": (
            "model",
            "model/MLmodel",
            "nowhere",
            "azureml://datastores/workspaceblobstore/paths/m/",
            "azureml://jobs/j/outputs/o/paths/m",
            "azureml://jobs/j/outputs/artifacts/paths/model/",
            "runs:/r/model",
            "https://example.org/m.pkl",
            5,
            None,
            ABSENT,
        ),
        "stage": ("Production", "anything", 5, None),
        "flavors": ({"sklearn": {"version": "1"}}, "sklearn", None),
        "datastore": ("azureml:workspaceblobstore", 5),
        "creation_context": ({"created_by": "someone"},),
        "colour": ("red",),
    },
)

COMPUTE = Subject(
    kind="compute",
    base={"name": "pool", "type": "amlcompute", "size": "STANDARD_DS3_v2"},
    fields={
        "name": ("pool", "cpu-cluster", "", 5, None, ABSENT),
        "type": ("amlcompute", "AmlCompute", "mainframe", None, ABSENT),
        "description": TEXTS,
        "tags": TAGS,
        "size": ("STANDARD_DS3_v2", 5, None, ABSENT),
        "location": ("westeurope", 5, None),
        "tier": ("dedicated", "low_priority", "LowPriority", "free", None),
        "min_instances": (0, 2, "2", -1, 1.5, "two", None),
        "max_instances": (4, "4", 0, "four", None),
        "idle_time_before_scale_down": (120, "120", "soon", None),
        "identity": ({"type": "system_assigned"}, {"type": "SystemAssigned"}, {"type": "nobody"}, "me", None),
        "network_settings": ({"vnet_name": "v", "subnet": "s"}, "v"),
        "ssh_settings": ({"admin_username": "a", "admin_password": "p"}, "a"),
        "ssh_public_access_enabled": _TRUTHS,
        "enable_node_public_ip": _TRUTHS,
        "provisioning_state": ("Succeeded",),
        "colour": ("red",),
    },
    wholes={
        "more at least than at most": "name: p\ntype: amlcompute\nmin_instances: 5\nmax_instances: 2\n",
        "an instance": "name: p\ntype: computeinstance\nsize: STANDARD_DS3_v2\n",
        "kubernetes": "name: p\ntype: kubernetes\nresource_id: /subscriptions/s\nnamespace: default\n",
    },
)

WORKSPACE = Subject(
    kind="workspace",
    base={"name": "team", "location": "westeurope"},
    fields={
        "name": ("team", "team 1", "", 5, None, ABSENT),
        "display_name": TEXTS,
        "description": TEXTS,
        "tags": TAGS,
        "location": ("westeurope", 5, None),
        "resource_group": ("group", 5, None),
        "storage_account": ("/subscriptions/s", 5),
        "key_vault": ("/subscriptions/s", 5),
        "application_insights": ("/subscriptions/s", 5),
        "container_registry": ("/subscriptions/s", 5),
        "customer_managed_key": ({"key_vault": "/subscriptions/s", "key_uri": "https://k"}, "key"),
        "hbi_workspace": _TRUTHS,
        "public_network_access": ("Enabled", "Disabled", "Sometimes", 5),
        "image_build_compute": ("pool", 5),
        "primary_user_assigned_identity": ("/subscriptions/s", 5),
        "managed_network": ({"isolation_mode": "disabled"}, {"isolation_mode": "sometimes"}, "none"),
        "identity": ({"type": "system_assigned"}, "me"),
        "properties": ({"a": "b"},),
        "settings": ({"url_map": "map.yml"},),
        "kind": ("default", "hub"),
        "provision_network_now": (True, "maybe"),
        "serverless_compute": ({"custom_subnet": "/subscriptions/s"}, "big"),
        "network_acls": ({"default_action": "Deny"}, "none"),
        "system_datastores_auth_mode": ("identity", 5),
        "allow_roleassignment_on_rg": (True, "maybe"),
        "enable_data_isolation": (True, "maybe"),
        "v1_legacy_mode": (True, "maybe"),
        "feature_store_settings": ({"offline_store_connection_name": "c"}, "on"),
        "colour": ("red",),
    },
)

_OF_DATASTORES: Final[Mapping[str, Values]] = {
    "name": ("store_1", "store-1", "store 1", "", 5, None, ABSENT),
    "description": TEXTS,
    "tags": TAGS,
    "properties": ({"a": "b"}, "a=b"),
    "endpoint": ("core.windows.net", 5),
    "protocol": ("https", "ftp", 5),
    "credentials": (
        {"account_key": "k"},
        {"sas_token": "t"},
        {"tenant_id": "00000000-0000-0000-0000-000000000000", "client_id": "00000000-0000-0000-0000-000000000000",
         "client_secret": "s"},
        {"password": "p"},
        "k",
    ),
    "colour": ("red",),
}  # fmt: skip

DATASTORES: Final[Mapping[str, Subject]] = {
    "datastore-blob": Subject(
        "datastore",
        {"name": "s", "type": "azure_blob", "account_name": "a", "container_name": "c"},
        {
            **_OF_DATASTORES,
            "type": ("azure_blob", "Azure_Blob", "floppy", None, ABSENT),
            "account_name": (5, None, ABSENT),
            "container_name": (5, None, ABSENT),
        },
    ),
    "datastore-file": Subject(
        "datastore",
        {"name": "s", "type": "azure_file", "account_name": "a", "file_share_name": "f"},
        {**_OF_DATASTORES, "file_share_name": (5, None, ABSENT)},
    ),
    "datastore-lake-2": Subject(
        "datastore",
        {"name": "s", "type": "azure_data_lake_gen2", "account_name": "a", "filesystem": "f"},
        {**_OF_DATASTORES, "filesystem": (5, None, ABSENT)},
    ),
    "datastore-lake-1": Subject(
        "datastore",
        {"name": "s", "type": "azure_data_lake_gen1", "store_name": "a"},
        {"store_name": (5, None, ABSENT), "colour": ("red",)},
    ),
    "datastore-one-lake": Subject(
        "datastore",
        {
            "name": "s",
            "type": "one_lake",
            "one_lake_workspace_name": "w",
            "endpoint": "onelake.dfs.fabric.microsoft.com",
            "artifact": {"type": "lake_house", "name": "l"},
        },
        {"artifact": ({"type": "lake_house"}, {"type": "barn", "name": "l"}, "l", ABSENT)},
    ),
    "datastore-local": Subject(
        "datastore", {"name": "s", "type": "local", "path": "data"}, {"path": ("data", "", 5, None, ABSENT)}
    ),
}

REGISTRY = Subject(
    kind="registry",
    base={
        "name": "shared",
        "location": "westeurope",
        "replication_locations": [{"location": "westeurope"}],
    },
    fields={
        "name": ("shared", "shared 1", "", 5, None, ABSENT),
        "description": TEXTS,
        "tags": TAGS,
        "properties": TAGS,
        "location": ("westeurope", 5, None, ABSENT),
        "primary_location": ("westeurope",),
        "resource_group": ("group", 5),
        "replication_locations": ([{"location": "westeurope"}], [], "westeurope", ABSENT),
        "public_network_access": ("Enabled", "Sometimes"),
        "container_registry": ("/subscriptions/s", {"sku": "Premium"}),
        "storage_account": ("/subscriptions/s",),
        "identity": ({"type": "system_assigned"}, "me"),
        "managed_resource_group_tags": ({"a": "b"},),
        "managed_resource_group_settings": ({"assigned_identities": []},),
        "intellectual_property": ({"publisher": "p"}, "mine"),
        "colour": ("red",),
    },
)

SUBJECTS: Final[Mapping[str, Subject]] = {
    "command-job": COMMAND_JOB,
    "pipeline-job": PIPELINE_JOB,
    "step": STEP,
    "component-step": COMPONENT_STEP,
    "command-component": COMMAND_COMPONENT,
    "pipeline-component": PIPELINE_COMPONENT,
    "environment": ENVIRONMENT,
    "data": DATA,
    "model": MODEL,
    "compute": COMPUTE,
    "workspace": WORKSPACE,
    **DATASTORES,
    "registry": REGISTRY,
}


def cases() -> Iterator[Case]:
    """Every case of every subject, in order; names are unique and stay the same from run to run."""
    for name, subject in SUBJECTS.items():
        yield Case(name, subject.kind, _written(subject.base))
        for field, values in subject.fields.items():
            for value in values:
                changed = _with(subject.base, field, value)
                yield Case(f"{name} {field}: {_shown(value)}", subject.kind, _written(changed))
        for title, text in subject.wholes.items():
            yield Case(f"{name} with {title}", subject.kind, text)


def lay_out(folder: Path) -> dict[str, Path]:
    """Write every case into a folder of its own beside what the files refer to; case name → file."""
    files = {}
    for path, text in AROUND.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    for number, case in enumerate(cases()):
        file = folder / f"case-{number:04}.yml"
        file.write_text(case.text, encoding="utf-8")
        files[case.name] = file
    return files


def _with(base: Mapping[str, Any], field: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(dict(base))
    *parents, last = field.split(".")
    inner = changed
    for part in parents:
        inner = inner[part]
    if value is ABSENT:
        inner.pop(last, None)
    else:
        inner[last] = value
    return changed


def _written(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False)


def _shown(value: object) -> str:
    return (
        "(left out)"
        if value is ABSENT
        else yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
        .replace("\n...", "")
        .strip()
    )
