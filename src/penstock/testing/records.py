"""Records to start a test from: everything plain, and what matters given by name."""

from typing import Any

from penstock.store.records.asset import AssetRecord
from penstock.store.records.compute import ComputeRecord
from penstock.store.records.datastore import DatastoreRecord
from penstock.store.records.job import JobRecord
from penstock.store.records.registry import RegistryRecord
from penstock.store.records.workspace import WorkspaceRecord


def a_workspace(name: str = "demo", **columns: Any) -> WorkspaceRecord:
    plain: dict[str, Any] = {
        "display_name": None, "description": None, "location": None, "resource_group": None,
        "tags": {}, "properties": {}, "created_at": 1.0, "created_by": "somebody",
    }  # fmt: skip
    return WorkspaceRecord(name=name, **{**plain, **columns})


def an_asset(name: str = "taxi", version: str = "1", **columns: Any) -> AssetRecord:
    plain: dict[str, Any] = {
        "workspace": "demo", "kind": "data", "spec": {}, "digest": "0" * 64, "description": None, "tags": {},
        "properties": {}, "archived": False, "anonymous": False, "created_at": 1.0, "created_by": "somebody",
        "modified_at": 1.0,
    }  # fmt: skip
    return AssetRecord(name=name, version=version, **{**plain, **columns})


def a_compute(name: str = "cpu-cluster", **columns: Any) -> ComputeRecord:
    plain: dict[str, Any] = {
        "workspace": "demo", "type": "amlcompute", "spec": {}, "created_at": 1.0, "modified_at": 1.0
    }  # fmt: skip
    return ComputeRecord(name=name, **{**plain, **columns})


def a_datastore(name: str = "lake", **columns: Any) -> DatastoreRecord:
    plain: dict[str, Any] = {
        "workspace": "demo", "type": "local", "spec": {"path": "/data"}, "created_at": 1.0, "created_by": "somebody",
        "modified_at": 1.0,
    }  # fmt: skip
    return DatastoreRecord(name=name, **{**plain, **columns})


def a_job(name: str = "job-1", **columns: Any) -> JobRecord:
    """A root, unless `parent` is given."""
    plain: dict[str, Any] = {
        "workspace": "demo", "type": "command", "status": "NotStarted", "display_name": None,
        "experiment_name": "taxi", "description": None, "tags": {}, "properties": {}, "parent": None,
        "root": columns.get("parent") or name, "step": None, "spec": {}, "inputs": {}, "outputs": {},
        "compute": None, "error": None, "created_at": 1.0, "created_by": "somebody",
    }  # fmt: skip
    return JobRecord(name=name, **{**plain, **columns})


def a_registry(name: str = "shared", **columns: Any) -> RegistryRecord:
    plain: dict[str, Any] = {
        "description": None, "location": None, "resource_group": None, "tags": {}, "properties": {},
        "created_at": 1.0, "created_by": "somebody",
    }  # fmt: skip
    return RegistryRecord(name=name, **{**plain, **columns})
