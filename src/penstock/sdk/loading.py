"""Files of every kind as documents that a verb takes."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.resources.reading import Document

Source = str | PathLike[str]


def load_job(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A job's YAML file with all that it includes. Raises InvalidDocument where it is no job at all.

    `overrides` change values before the file is checked, as `--set` does: `{"inputs.rate": 0.1}`.
    """
    return _load("job", source, overrides)


def load_environment(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """An environment's YAML file."""
    return _load("environment", source, overrides)


def load_data(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A data asset's YAML file."""
    return _load("data", source, overrides)


def load_model(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A model's YAML file."""
    return _load("model", source, overrides)


def load_compute(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A compute's YAML file."""
    return _load("compute", source, overrides)


def load_datastore(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A datastore's YAML file."""
    return _load("datastore", source, overrides)


def load_registry(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A registry's YAML file."""
    return _load("registry", source, overrides)


def load_workspace(source: Source, *, overrides: Mapping[str, object] | None = None) -> "Document":
    """A workspace's YAML file."""
    return _load("workspace", source, overrides)


def _load(kind: str, source: Source, overrides: Mapping[str, object] | None) -> "Document":
    from penstock.resources.reading import read_document

    texts = [f"{path}={_text(value)}" for path, value in (overrides or {}).items()]
    return read_document(Path(fspath(source)), kind, overrides=texts)


def _text(value: object) -> str:
    """A value as it would be typed after `--set`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
