"""The environment variables of a step's process: the machine's, Azure ML's, MLflow's, and the user's own."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.jobs.process_layout import HERE

# What a step may know of the server's own environment: where things are and how the network is reached. Everything
# else (credentials above all) stays with the server.
_PASSED_ON = re.compile(
    r"HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|XDG_\w+|LD_LIBRARY_PATH|DYLD_\w+|CUDA_\w+|NVIDIA_\w+"
    r"|OMP_\w+|OPENBLAS_\w+|MKL_\w+|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(?i:https?_proxy|no_proxy|all_proxy)|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|CONFIG_FILE)"
    r"|UV_(INDEX_URL|EXTRA_INDEX_URL|DEFAULT_INDEX|INDEX|FIND_LINKS)"
)
# A user's `environment_variables` win over ours, but a job cannot pretend to be another one.
_IDENTITY = (
    "AZUREML_RUN_ID",
    "AZUREML_ROOT_RUN_ID",
    "MLFLOW_RUN_ID",
    "MLFLOW_TRACKING_TOKEN",
)


@dataclass(frozen=True)
class Tracking:
    """Where and as what the step logs to MLflow. `run_id` is None for an environment that has no MLflow."""

    uri: str
    token: str
    token_expires_at: float
    experiment_name: str
    experiment_id: str | None = None
    run_id: str | None = None


@dataclass(frozen=True)
class StepIdentity:
    """Who the step is."""

    subscription: str
    workspace: str
    resource_group: str
    job: str
    root: str
    compute: str


def step_variables(
    identity: StepIdentity,
    tracking: Tracking,
    *,
    bin_folders: tuple[Path, ...],
    working_folder: Path,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    user: Mapping[str, str],
    environ: Mapping[str, str],
) -> dict[str, str]:
    """Everything that the process sees. `inputs` and `outputs` are rendered texts (paths for data)."""
    ours = {
        **_passed_on(environ),
        "PATH": os.pathsep.join([*map(str, bin_folders), environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(
            bin_folders[0].parent
        ),  # so that `uv pip install` in a command lands where pip's does
        "PYTHONUNBUFFERED": "1",  # so that a print is in the live log when it happens
        **_azureml(identity, tracking, working_folder),
        **_mlflow(tracking),
        **{f"AZUREML_PARAMETER_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_DATAREFERENCE_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_OUTPUT_{name}": text for name, text in outputs.items()},
    }
    return {**ours, **user, **{name: ours[name] for name in _IDENTITY if name in ours}}


def _passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)}


def _azureml(identity: StepIdentity, tracking: Tracking, working_folder: Path) -> dict[str, str]:
    folder = str(working_folder)
    return {
        "AZUREML_RUN_ID": identity.job,
        "AZUREML_ROOT_RUN_ID": identity.root,
        "AZUREML_ARM_SUBSCRIPTION": identity.subscription,
        "AZUREML_ARM_RESOURCEGROUP": identity.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": identity.workspace,
        "AZUREML_ARM_PROJECT_NAME": tracking.experiment_name,
        "AZUREML_EXPERIMENT_ID": tracking.experiment_id or "",
        "AZUREML_WORKSPACE_ID": identity.workspace,
        "AZUREML_SERVICE_ENDPOINT": tracking.uri,
        # No AZUREML_RUN_TOKEN: with it azureml-core looks for the cloud's services, and `Run.get_context()` fails.
        # Without it azureml-core takes its offline run, and code with both SDKs goes on.
        "AZUREML_RUN_TOKEN_EXPIRY": str(int(tracking.token_expires_at)),
        "AZUREML_NODE_COUNT": "1",
        "AZUREML_CR_EXECUTION_WORKING_DIR_PATH": folder,
        "AZUREML_CR_COMPUTE_CONTEXT": "{}",
        "AZ_BATCHAI_JOB_WORK_DIR": folder,
        "AZ_BATCHAI_CLUSTER_NAME": identity.compute,
        "AZUREML_COMPUTE_USE_COMMON_RUNTIME": "true",
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": tracking.uri,
        "AZUREML_SCRIPT_DIRECTORY_NAME": folder,
        "AZ_BATCHAI_TASK_INDEX": "0",
        "AZ_BATCH_NODE_ID": "node-0",
        "AZ_BATCH_NODE_ROOT_DIR": folder,
        "AZ_BATCH_NODE_LIST": HERE,
        "AZ_BATCHAI_NODE_LIST": HERE,
        "AZ_BATCH_HOST_LIST": HERE,
    }


def _mlflow(tracking: Tracking) -> dict[str, str]:
    values = {
        "MLFLOW_TRACKING_URI": tracking.uri,
        "MLFLOW_REGISTRY_URI": tracking.uri,
        "MLFLOW_TRACKING_TOKEN": tracking.token,
        "MLFLOW_EXPERIMENT_NAME": tracking.experiment_name,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # the address opens for nobody without a one-time link
        "GIT_PYTHON_REFRESH": "quiet",  # MLflow imports GitPython, which complains where git is absent
    }
    if tracking.experiment_id is not None:
        values["MLFLOW_EXPERIMENT_ID"] = tracking.experiment_id
    if tracking.run_id is not None:
        values["MLFLOW_RUN_ID"] = tracking.run_id
    return values
