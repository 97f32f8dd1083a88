"""Packages that only mean something inside Azure, and what stands here in their place."""

from collections.abc import Mapping

_SDK = "the v1 SDK speaks to Azure alone; runs, metrics and models are MLflow's here, and `penstock` or its SDK the rest"
_DATA = "inputs are plain files and folders of the step here, and `mltable` is there to import"
_PIPELINES = "pipelines are YAML files or `penstock`'s SDK here"
_AUTOML = "AutoML runs in Azure's own service"
_SERVING = "scoring in Azure is what it brings; a training step needs none of it"

_INSTEAD: Mapping[str, str] = {
    "azureml-sdk": _SDK,
    "azureml-core": _SDK,
    "azureml-defaults": _SERVING,
    "azureml-dataset-runtime": _DATA,
    "azureml-dataprep": _DATA,
    "azureml-dataprep-native": _DATA,
    "azureml-dataprep-rslex": _DATA,
    "azureml-fsspec": _DATA,
    "azureml-opendatasets": _DATA,
    "azureml-telemetry": "nothing is reported to anybody here",
    "azureml-widgets": "`penstock job stream` shows a job here, MLflow its metrics",
    "azureml-tensorboard": "TensorBoard reads a job's downloaded files",
    "azureml-monitoring": _SERVING,
    "azureml-contrib-services": _SERVING,
    "azureml-model-management-sdk": _SDK,
    "azureml-cli-common": _SDK,
    "azureml-datadrift": _SDK,
    "azureml-accel-models": _SDK,
}
_FAMILIES: Mapping[str, str] = {
    "azureml-train": "training is a job of `penstock` here",
    "azureml-pipeline": _PIPELINES,
    "azureml-automl": _AUTOML,
    "azureml-contrib": _SDK,
}


# What they bring along that is nobody's own: scripts read and write Parquet with it and never name it.
_DATASETS = ("pyarrow",)
_BROUGHT: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("azureml-sdk", "azureml-defaults", "azureml-dataset-runtime", "azureml-dataprep", "azureml-fsspec"),
    _DATASETS,
)


def brought_along(name: str) -> tuple[str, ...]:
    """The packages of general use that an Azure-only one installs beside itself. `name` is canonical."""
    return _BROUGHT.get(name, ())


def stands_here_instead(name: str) -> str | None:
    """What does the work of an Azure-only package here; None for every other package. `name` is canonical.

    `azureml-mlflow` is none of them: it lets MLflow read `azureml://` addresses and leaves others alone.
    """
    if name in _INSTEAD:
        return _INSTEAD[name]
    return next(
        (said for family, said in _FAMILIES.items() if name == family or name.startswith(f"{family}-")), None
    )
