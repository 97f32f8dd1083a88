"""Small files, one question each: for every kind a file that is right, and for every field values that are and are not.

A case is the right file with one value put in, or taken away. Whether a value is right is not written here: two
programs are asked, and `disagreements.py` says where they differ, and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ABSENT: Final = object()
"""In place of a value: the field is left out."""

Values = Sequence[object]


@dataclass(frozen=True)
class Subject:
    """One kind of file. `fields` maps a dotted path to the values that are tried there; `wholes` are complete files."""

    kind: str
    base: Mapping[str, Any]
    fields: Mapping[str, Values]
    wholes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One file: `name` is `job-command/limits.timeout/2`, `kind` says which loader reads it."""

    name: str
    kind: str
    text: str


# Beside every file lie these: a script in a folder, data, a conda file, files to include.
AROUND: Final[Mapping[str, str]] = {
    "src/train.py": "print('hello')\n",
    "data/rides.csv": "fare\n1\n",
    "rides.expectations.yml": "columns: {fare: {min: 0}}\n",
    "table/MLTable": "type: mltable\npaths:\n  - file: ./rides.csv\ntransformations:\n  - read_delimited: {delimiter: ','}\n",
    "table/rides.csv": "fare\n1\n",
    "model/MLmodel": "flavors: {python_function: {loader_module: m}}\n",
    "context/Dockerfile": "FROM python:3.11\nRUN pip install pandas\n",
    "conda.yml": "name: c\nchannels: [conda-forge]\ndependencies: [python=3.11, pip, {pip: [pandas]}]\n",
    "environment.yml": "image: python:3.11\nconda_file: conda.yml\n",
    "component.yml": (
        "type: command\nname: prep\nversion: 1\ninputs:\n  rides: {type: uri_folder}\n  rate: {type: number, default: 0.5}\n"
        "outputs:\n  done: {type: uri_folder}\n"
        "command: python train.py --rides ${{inputs.rides}} --rate ${{inputs.rate}} --done ${{outputs.done}}\n"
        "code: ./src\nenvironment: azureml:e:1\n"
    ),
}

TEXTS: Final[Values] = ("words", "", None, 5, ["a"], {"a": "b"})
TAGS: Final[Values] = ({"a": "b"}, {}, {"a": 1}, {"a": None}, {"a": True}, {"a": ["b"]}, "a=b", None)
VERSIONS: Final[Values] = (1, "1", 1.5, "1.0", "2024-05-01", True, ["1"], None)
INPUT_VALUES: Final[Values] = (
    {"x": 1},
    {"x": 0.5},
    {"x": True},
    {"x": "text"},
    {"x": {"value": 3}},
    {"x": {"type": "uri_file", "path": "data/rides.csv"}},
    {"x": {"type": "uri_folder", "path": "data"}},
    {"x": {"path": "data"}},
    {"x": {"type": "uri_folder", "path": "azureml:d:1"}},
    {"x": {"type": "uri_folder", "path": "azureml:d@latest"}},
    {"x": {"type": "uri_file", "path": "azureml://datastores/workspaceblobstore/paths/a/b.csv"}},
    {"x": {"type": "uri_file", "path": "https://example.org/a.csv"}},
    {"x": {"type": "uri_folder", "path": "wasbs://c@a.blob.core.windows.net/p/"}},
    {"x": {"type": "mltable", "path": "table"}},
    {"x": {"type": "mltable", "path": "azureml:t:1", "mode": "eval_mount"}},
    {"x": {"type": "custom_model", "path": "azureml:m:1"}},
    {"x": {"type": "mlflow_model", "path": "model"}},
    {"x": {"type": "triton_model", "path": "azureml:m:1"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "ro_mount"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "download"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "direct"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "rw_mount"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "upload"}},
    {"x": {"type": "uri_folder", "path": "data", "mode": "teleport"}},
    {"x": {"type": "uri_folder", "path": "nowhere"}},
    {"x": {"type": "uri_folder"}},
    {"x": {"type": "spreadsheet", "path": "data"}},
    {"x": {"type": "uri_folder", "path": "data", "colour": "red"}},
    {"x": {"type": "uri_folder", "path": 5}},
    {"9x": 1},
    {"x y": 1},
    {"x-y": 1},
    {"x": None},
    {"x": [1, 2]},
    [],
    "x",
    None,
)
OUTPUT_VALUES: Final[Values] = (
    {"o": {"type": "uri_folder"}},
    {"o": {"type": "uri_file"}},
    {"o": {"type": "mltable"}},
    {"o": {"type": "custom_model"}},
    {"o": {"type": "mlflow_model"}},
    {"o": {"type": "triton_model"}},
    {"o": None},
    {"o": {}},
    {"o": {"type": "uri_folder", "mode": "rw_mount"}},
    {"o": {"type": "uri_folder", "mode": "upload"}},
    {"o": {"type": "uri_folder", "mode": "mount"}},
    {"o": {"type": "uri_folder", "mode": "direct"}},
    {"o": {"type": "uri_folder", "mode": "download"}},
    {"o": {"type": "uri_folder", "path": "azureml://datastores/workspaceblobstore/paths/a/"}},
    {
        "o": {
            "type": "uri_folder",
            "path": "azureml://datastores/workspaceblobstore/paths/${{name}}/${{output_name}}",
        }
    },
    {"o": {"type": "uri_folder", "name": "asset"}},
    {"o": {"type": "uri_folder", "name": "asset", "version": 3}},
    {"o": {"type": "uri_folder", "version": 3}},
    {"o": {"type": "spreadsheet"}},
    {"o": {"type": "uri_folder", "colour": "red"}},
    {"9o": {"type": "uri_folder"}},
    {"o": "text"},
    {"o": 3},
    [],
    None,
)
PORTS_IN: Final[Values] = (
    {"x": {"type": "uri_folder"}},
    {"x": {"type": "uri_file", "optional": True}},
    {"x": {"type": "mltable"}},
    {"x": {"type": "custom_model"}},
    {"x": {"type": "mlflow_model"}},
    {"x": {"type": "triton_model"}},
    {"x": {"type": "path"}},
    {"x": {"type": "uri_folder", "mode": "download"}},
    {"x": {"type": "uri_folder", "mode": "teleport"}},
    {"x": {"type": "uri_folder", "description": "words"}},
    {"x": {"type": "string"}},
    {"x": {"type": "string", "default": "a", "enum": ["a", "b"]}},
    {"x": {"type": "string", "default": "c", "enum": ["a", "b"]}},
    {"x": {"type": "string", "enum": "a"}},
    {"x": {"type": "integer", "default": 3, "min": 1, "max": 5}},
    {"x": {"type": "integer", "default": "3"}},
    {"x": {"type": "integer", "default": 9, "min": 1, "max": 5}},
    {"x": {"type": "integer", "default": "three"}},
    {"x": {"type": "integer", "min": 5, "max": 1}},
    {"x": {"type": "number", "default": 0.5}},
    {"x": {"type": "number", "default": "half"}},
    {"x": {"type": "number", "min": "low"}},
    {"x": {"type": "boolean", "default": True}},
    {"x": {"type": "boolean", "default": "maybe"}},
    {"x": {"type": "float", "default": 0.5}},
    {"x": {"type": "String"}},
    {"x": {"type": "spreadsheet"}},
    {"x": {"type": "string", "colour": "red"}},
    {"x": {"type": "string", "optional": "perhaps"}},
    {"x": {"default": 3}},
    {"x": {}},
    {"x": None},
    {"x": 3},
    {"x": "uri_folder"},
    {"x": {"type": "string"}, "X": {"type": "string"}},
    {"9x": {"type": "string"}},
    {"x y": {"type": "string"}},
    [],
    None,
)
PORTS_OUT: Final[Values] = (
    {"o": {"type": "uri_folder"}},
    {"o": {"type": "uri_file"}},
    {"o": {"type": "mltable"}},
    {"o": {"type": "mlflow_model"}},
    {"o": {"type": "path"}},
    {"o": {"type": "uri_folder", "mode": "upload"}},
    {"o": {"type": "uri_folder", "mode": "teleport"}},
    {"o": {"type": "uri_folder", "description": "words"}},
    {"o": {"type": "boolean", "is_control": True}},
    {"o": {"type": "integer"}},
    {"o": {"type": "spreadsheet"}},
    {"o": {"type": "uri_folder", "colour": "red"}},
    {"o": {}},
    {"o": None},
    {"o": "text"},
    {"9o": {"type": "uri_folder"}},
    [],
    None,
)
ENVIRONMENTS: Final[Values] = (
    "azureml:e:1",
    "azureml:e@latest",
    "azureml:e",
    "azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
    "azureml://registries/azureml/environments/sklearn-1.5/versions/20",
    "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest",
    "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/environments/e/versions/1",
    "file:environment.yml",
    "environment.yml",
    {"image": "python:3.11"},
    {"image": "python:3.11", "conda_file": "conda.yml"},
    {"image": "python:3.11", "conda_file": {"dependencies": ["python=3.11"]}},
    {"image": "python:3.11", "name": "named", "version": 3},
    {"build": {"path": "context"}},
    {"image": "python:3.11", "build": {"path": "context"}},
    {"image": "python:3.11", "colour": "red"},
    {"conda_file": "conda.yml"},
    {},
    "e:1",
    "nowhere.yml",
    5,
    ["azureml:e:1"],
    ABSENT,
)
RESOURCES: Final[Values] = (
    {"instance_count": 1},
    {"instance_count": 2},
    {"instance_count": 0},
    {"instance_count": "two"},
    {"instance_type": "Standard_D2"},
    {"shm_size": "2g"},
    {"shm_size": "512m"},
    {"shm_size": "much"},
    {"docker_args": "--ipc=host"},
    {"docker_args": ["--ipc=host"]},
    {"locations": ["westeurope"]},
    {"max_instance_count": 4},
    {"properties": {"a": 1}},
    {"colour": "red"},
    3,
    None,
)
DISTRIBUTIONS: Final[Values] = (
    {"type": "pytorch"},
    {"type": "pytorch", "process_count_per_instance": 2},
    {"type": "PyTorch", "process_count_per_instance": 2},
    {"type": "mpi", "process_count_per_instance": 2},
    {"type": "mpi"},
    {"type": "tensorflow", "worker_count": 2},
    {"type": "tensorflow", "worker_count": 2, "parameter_server_count": 1},
    {"type": "tensorflow"},
    {"type": "pytorch", "worker_count": 2},
    {"type": "pytorch", "process_count_per_instance": "two"},
    {"type": "pytorch", "process_count_per_instance": 0},
    {"type": "horovod"},
    {"process_count_per_instance": 2},
    "pytorch",
    None,
)
SERVICES: Final[Values] = (
    {"s": {"type": "tensor_board", "log_dir": "logs"}},
    {"s": {"type": "jupyter_lab"}},
    {"s": {"type": "vs_code"}},
    {"s": {"type": "ssh", "ssh_public_keys": "key"}},
    {"s": {"type": "custom", "port": 8080}},
    {"s": {"job_service_type": "tensor_board"}},
    {"s": {"type": "teleport"}},
    {"s": {"type": "jupyter_lab", "nodes": "all"}},
    {"s": {"type": "jupyter_lab", "nodes": "some"}},
    {"s": {"type": "jupyter_lab", "port": "high"}},
    {"s": None},
    [],
    None,
)
IDENTITIES: Final[Values] = (
    {"type": "user_identity"},
    {"type": "managed"},
    {"type": "managed_identity"},
    {"type": "managed", "client_id": "c"},
    {"type": "aml_token"},
    {"type": "AMLToken"},
    {"type": "system_assigned"},
    {"type": "nobody"},
    {},
    "user_identity",
    None,
)
QUEUES: Final[Values] = (
    {"job_tier": "spot"},
    {"job_tier": "Standard"},
    {"job_tier": "null"},
    {"job_tier": None},
    {"job_tier": "first_class"},
    {"priority": "low"},
    {"job_tier": "basic", "priority": "high"},
    {"job_tier": "basic", "priority": "urgent"},
    {"colour": "red"},
    "spot",
    None,
)
LIMITS: Final[Values] = (
    {"timeout": 30},
    {"timeout": "30"},
    {"timeout": "soon"},
    {"timeout": 0},
    {"timeout": -1},
    {"timeout": 1.5},
    {"timeout": None},
    {"colour": "red"},
    {},
    30,
    None,
)
COMPUTES: Final[Values] = (
    "azureml:pool", "pool", "local", "serverless", "azureml:serverless", "azureml:pool:1", "", 5, ["pool"], None,
)  # fmt: skip
CODES: Final[Values] = (
    "src",
    "./src",
    "src/train.py",
    "nowhere",
    "azureml:c:1",
    "git+https://example.org/r.git",
    "https://example.org/r.zip",
    "",
    5,
    None,
    ABSENT,
)
VARIABLES: Final[Values] = (
    {"A": "b"},
    {"A": 1},
    {"A": True},
    {"A": None},
    {"A": ["b"]},
    {"A-B": "c"},
    ["A=b"],
    "A=b",
    {},
    None,
)
DATA_PATHS: Final[Values] = (
    "azureml://datastores/workspaceblobstore/paths/a/",
    "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/p",
    "https://example.org/a.csv",
    "wasbs://c@a.blob.core.windows.net/p/",
    "abfss://f@a.dfs.core.windows.net/p/",
    "data",
    "./data",
    "nowhere",
    "azureml:d:1",
    "",
    5,
    None,
    ABSENT,
)
