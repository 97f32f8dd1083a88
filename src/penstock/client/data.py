"""Data assets of one workspace or registry: what they share with others, what is in them, and whether they are as expected."""

from collections.abc import Callable, Iterable, Mapping
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
        pattern: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        header: bool = True,
        skip_rows: int = 0,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Record:
        """Check a version (the latest where none is named), or the files at `path`: `passed`, and `results` with what was found.

        `expectations` are a file, its content, or None: those that are kept with the asset. `keep` keeps them with the version.
        At most `examples` rows are shown of each that fails. A file that cannot be understood is InvalidDocument, with its lines.
        `progress` is told the rows that were read so far. The rest says how text is read, as for `profile`.
        """
        from penstock.client.data_validation import validate

        reading = {
            "pattern": pattern,
            "delimiter": delimiter,
            "encoding": encoding,
            "header": None if header else False,
            "skip_rows": skip_rows or None,
        }
        return validate(
            self._connection, self._path, name, version=version, label=label, expectations=expectations, path=path,
            kind=type, examples=examples, keep=keep, reading=reading, progress=progress,
        )  # fmt: skip

    def profile(
        self,
        name: str | None = None,
        *,
        version: str | None = None,
        label: str | None = None,
        path: str | PathLike[str] | None = None,
        type: str | None = None,  # noqa: A002 - as the field of the file is called
        columns: Iterable[str] = (),
        propose: bool = False,
        pattern: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        header: bool = True,
        skip_rows: int = 0,
        progress: Callable[[int], None] = lambda rows: None,
    ) -> Record:
        """What is in the columns of a version (the latest where none is named), or of the file or folder at `path`, which stays where it is.

        `pattern` chooses files of a folder; `delimiter`, `encoding`, `header` and `skip_rows` (lines above the header) say how text is
        read where it does not say so itself. `progress` is told the rows that were read so far. With `propose` the answer has a
        `proposal`: the text of a file of expectations that this data meets.
        """
        from penstock.client.data_profile import profile

        reading = {
            "column": list(columns),
            "propose": "true" if propose else None,
            "pattern": pattern,
            "delimiter": delimiter,
            "encoding": encoding,
            "header": None if header else "false",
            "skip_rows": skip_rows or None,
        }
        return profile(
            self._connection, self._path, name, version=version, label=label, path=path, kind=type, reading=reading,
            progress=progress,
        )  # fmt: skip
