"""Which kind of file a document is, told from what is in it: for better errors, and for commands that take any file."""

from collections.abc import Mapping
from typing import Any

# Any in this module: a JSON value.

_BY_TYPE: Mapping[str, str] = {
    **dict.fromkeys(("uri_file", "uri_folder", "mltable"), "data"),
    **dict.fromkeys(("custom_model", "mlflow_model", "triton_model"), "model"),
    **dict.fromkeys(
        ("amlcompute", "computeinstance", "kubernetes", "virtualmachine", "synapsespark", "local"), "compute"
    ),
    **dict.fromkeys(
        ("azure_blob", "azure_file", "azure_data_lake_gen1", "azure_data_lake_gen2", "one_lake"), "datastore"
    ),
}
_JOB_TYPES = frozenset(
    {
        "command", "pipeline", "sweep", "parallel", "spark", "automl", "import", "data_transfer", "finetuning",
        "distillation",
    }
)  # fmt: skip
_JOB_KEYS = frozenset(
    {
        "compute",
        "experiment_name",
        "settings",
        "limits",
        "services",
        "identity",
        "queue_settings",
        "parent_job_name",
    }
)
_COMPONENT_KEYS = frozenset({"version", "is_deterministic", "additional_includes"})
_PORT_TYPES = frozenset({"string", "integer", "number", "boolean", "float", "path"})
_PORT_KEYS = frozenset({"default", "optional", "min", "max", "enum"})

# Keys that one kind alone has. The first line that fits decides.
_BY_KEY: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"create_job", "create_monitor", "import_data"}), "schedule"),
    (frozenset({"mini_batch_size", "max_concurrency_per_instance", "output_action"}), "batch-deployment"),
    (frozenset({"endpoint_name"}), "online-deployment"),
    (frozenset({"auth_mode", "traffic", "mirror_traffic"}), "online-endpoint"),
    (frozenset({"specification", "materialization_settings"}), "feature-set"),
    (frozenset({"index_columns"}), "feature-store-entity"),
    (frozenset({"flavors", "stage"}), "model"),
    (
        frozenset(
            {"storage_account", "key_vault", "application_insights", "hbi_workspace", "managed_network"}
        ),
        "workspace",
    ),
    (frozenset({"primary_location", "replication_locations", "intellectual_property"}), "registry"),
    (frozenset({"target"}), "connection"),
    (frozenset({"model_id"}), "serverless-endpoint"),
    (frozenset({"rows", "freshness", "extra_columns", "column_order"}), "expectations"),
)
_ENVIRONMENT_KEYS = frozenset({"image", "conda_file", "build", "inference_config"})

# Words in the address of `$schema`, which is for editors and often copied from elsewhere: it decides only at the end.
_BY_SCHEMA: tuple[tuple[str, str], ...] = (
    ("expectations", "expectations"),
    ("onlinedeployment", "online-deployment"),
    ("onlineendpoint", "online-endpoint"),
    ("batchdeployment", "batch-deployment"),
    ("batchendpoint", "batch-endpoint"),
    ("schedule", "schedule"),
    ("component", "component"),
    ("job", "job"),
    ("environment", "environment"),
    ("workspace", "workspace"),
    ("registry", "registry"),
    ("compute", "compute"),
    ("amlcompute", "compute"),
    ("model", "model"),
    ("data", "data"),
)

DESCRIPTIONS: Mapping[str, str] = {
    "conda": "a conda file",
    "job": "a job",
    "component": "a component",
    "environment": "an environment",
    "data": "a data asset",
    "mltable": "an MLTable file",
    "expectations": "a file of expectations",
    "online-deployment": "an online deployment",
    "online-endpoint": "an online endpoint",
}
"""What to call a file of a kind; `described` knows the others too."""

_ADVICE: Mapping[str, str] = {
    "conda": "give it as `conda_file:` of an environment that also has an `image:`",
    "component": (
        "use it in a step of a pipeline, as `component: ./{name}`, or create it with `penstock component create -f {name}`"
    ),
    "job": "submit it with `penstock job create -f {name}`",
    "expectations": "check data against it with `penstock data validate -n <name> -f {name}`",
    "mltable": "create data of its folder: `penstock data create --type mltable --path <folder>`",
}
# With nothing else of what data, jobs or features have.
_EXPECTATION_KEYS = frozenset({"columns", "unique", "rules"})
_NOUNS = frozenset({"workspace", "registry", "environment", "data", "datastore", "model", "compute"})


def kind_of(data: Any) -> str | None:
    """The kind that a document's content shows: a noun of the command line, or `conda`; None where it could be several.

    Sweep, parallel and all other jobs are `job`.
    """
    if not isinstance(data, Mapping):
        return None
    keys = {str(key) for key in data}
    kind = str(data.get("type", "")).strip().lower().replace("-", "_")
    if keys & {"dependencies", "channels"} and not keys & {"image", "type", "command", "build"}:
        return "conda"
    if "endpoint_name" in keys and kind in ("model", "pipeline"):
        return "batch-deployment"
    if kind in _JOB_TYPES or "command" in keys:
        return _job_or_component(data, keys)
    for own, found in _BY_KEY:
        if keys & own:
            return "batch-endpoint" if found == "online-endpoint" and "defaults" in keys else found
    if kind == "local" and "path" in keys:
        return "datastore"
    if keys & _EXPECTATION_KEYS and not keys & {"type", "path", "name"}:
        return "expectations"
    if kind in ("", "mltable") and "paths" in keys:
        return "mltable"
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    return "environment" if keys & _ENVIRONMENT_KEYS else _by_schema(data)


def described(kind: str) -> str:
    """`a component`, `a conda file`, `a batch endpoint`."""
    return DESCRIPTIONS.get(kind, f"a {kind.replace('-', ' ')}")


def advice(kind: str, name: str) -> str | None:
    """What one does with a file of a kind; `name` is the file's."""
    if kind in _NOUNS:
        return f"create it with `penstock {kind} create -f {name}`"
    return _ADVICE[kind].format(name=name) if kind in _ADVICE else None


def _job_or_component(data: Mapping[str, Any], keys: set[str]) -> str:
    """They share their `type`. A job says where it runs and gives values; a component declares ports."""
    inputs = data.get("inputs")
    values = list(inputs.values()) if isinstance(inputs, Mapping) else []
    looks_like_component = bool(keys & _COMPONENT_KEYS) or any(map(_is_port, values))
    by_schema = _by_schema(data) == "component"
    if keys & _JOB_KEYS:  # also written into components, where they have no effect
        return "component" if looks_like_component and by_schema else "job"
    return "component" if looks_like_component or by_schema else "job"


def _is_port(value: Any) -> bool:
    """Whether an input declares what may be given. A data port looks like an input that forgot its path."""
    if not isinstance(value, Mapping) or "path" in value or "value" in value:
        return False
    return bool(_PORT_KEYS & value.keys()) or str(value.get("type", "")).lower() in _PORT_TYPES


def _by_schema(data: Mapping[str, Any]) -> str | None:
    schema = str(data.get("$schema", "")).rstrip("/").rsplit("/", 1)[-1].lower()
    return next((found for word, found in _BY_SCHEMA if word in schema), None)
