"""Penstock: run Azure ML v2 project files where you are, and move code through gated stages.

from penstock import Client, load_job

job = Client().jobs.create(load_job("pipeline.yml"))
job.stream()
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from penstock.sdk.assets import Data, Environment, Model
    from penstock.sdk.client import Client
    from penstock.sdk.job import Job
    from penstock.sdk.loading import (
        load_compute,
        load_data,
        load_datastore,
        load_environment,
        load_job,
        load_model,
        load_registry,
        load_workspace,
    )
    from penstock.sdk.nodes import command, load_component
    from penstock.sdk.pipelines import pipeline
    from penstock.sdk.ports import Input, Output

__all__ = [
    "Client",
    "Data",
    "Environment",
    "Input",
    "Job",
    "Model",
    "Output",
    "command",
    "load_component",
    "load_compute",
    "load_data",
    "load_datastore",
    "load_environment",
    "load_job",
    "load_model",
    "load_registry",
    "load_workspace",
    "pipeline",
]

# The command line imports this package too, and must not pay for the SDK: a name is imported when it is asked for.
_HOMES = {
    **dict.fromkeys(("Data", "Environment", "Model"), "assets"),
    "Client": "client",
    "Job": "job",
    **dict.fromkeys(
        (
            "load_compute",
            "load_data",
            "load_datastore",
            "load_environment",
            "load_job",
            "load_model",
            "load_registry",
            "load_workspace",
        ),
        "loading",
    ),
    **dict.fromkeys(("command", "load_component"), "nodes"),
    "pipeline": "pipelines",
    **dict.fromkeys(("Input", "Output"), "ports"),
}


def __getattr__(name: str) -> Any:  # Any: whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module `penstock` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(f"penstock.sdk.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
