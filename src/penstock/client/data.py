"""Data assets of one workspace or registry: what they share with others, and whether they are as expected."""

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from penstock.client.assets import Assets, Record

if TYPE_CHECKING:
    from penstock.resources.reading import Document


class Data(Assets):
    """Files and folders as versioned data."""

    def validate(
        self,
        name: str | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        expectations: "Document | Mapping[str, Any] | str | PathLike[str] | None" = None,
        path: str | PathLike[str] | None = None,
        type: str | None = None,  # noqa: A002 - as the field of the file is called
        examples: int | None = None,
        keep: bool = False,
    ) -> Record:
        """Check a version (the latest where none is named), or the files at `path`: `passed`, and `results` with what was found.

        `expectations` are a file, its content, or None: those that are kept with the asset. `keep` keeps them with the version.
        At most `examples` rows are shown of each that fails. A file that cannot be understood is InvalidDocument, with its lines.
        """
        from penstock.client.data_validation import validate

        return validate(
            self._connection, self._path, name, version=version, label=label, expectations=expectations, path=path,
            kind=type, examples=examples, keep=keep,
        )  # fmt: skip
