"""Assets and computes described in Python, where a YAML file would do as well."""

from dataclasses import dataclass, fields
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any in this module: a JSON value.


@dataclass(frozen=True, kw_only=True)
class _Described:
    """A name with what its YAML file would hold; relative paths start from the current folder."""

    kind: ClassVar[str]

    name: str
    version: str | None = None
    description: str | None = None
    tags: dict[str, str] | None = None

    def document(self) -> "Document":
        """What a verb's `create` takes."""
        from penstock.resources.reading import document_from_data

        values = {each.name: getattr(self, each.name) for each in fields(self)}
        data = {
            name: fspath(value) if isinstance(value, PathLike) else value
            for name, value in values.items()
            if value is not None
        }
        return document_from_data(self.kind, data, base=Path.cwd())


@dataclass(frozen=True, kw_only=True)
class Data(_Described):
    """A data asset: `client.data.create(Data(name="rides", type="uri_file", path="rides.csv"))`."""

    kind = "data"

    path: str | PathLike[str]
    type: str = "uri_folder"
    expectations: str | PathLike[str] | dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Model(_Described):
    """A model from local files, `azureml://jobs/<job>/outputs/<output>/paths/<path>` or `runs:/<run>/<path>`."""

    kind = "model"

    path: str | PathLike[str]
    type: str = "custom_model"
    properties: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Environment(_Described):
    """The software of a job: an image's name, and a conda file by its path or as its content."""

    kind = "environment"

    image: str | None = None
    conda_file: str | PathLike[str] | dict[str, Any] | None = None
    build: dict[str, str] | None = None
