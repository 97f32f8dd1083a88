"""Tables described by an MLTable file: load one or make one, add transformations, get a DataFrame."""

from __future__ import annotations

import copy
import hashlib
import os
import random
from typing import Any

from . import reading, steps, yaml_text
from .data_types import DataType, MLTableFileEncoding, MLTableHeaders, chosen
from .errors import MLTableError
from .frames import SOURCE
from .paths import checked_paths, files_of, is_address, known_map, local_path
from .saving import copied, relative

__all__ = [
    "DataType",
    "MLTable",
    "MLTableFileEncoding",
    "MLTableHeaders",
    "from_delimited_files",
    "from_delta_lake",
    "from_json_lines_files",
    "from_parquet_files",
    "from_paths",
    "load",
]

FILE = "MLTable"
_TOP = ("$schema", "type", "paths", "transformations", "metadata", "traits")
_TRAITS = ("timestamp_column", "index_columns")


class Traits:
    """What a table says about its columns: which one is the time, which ones are the index."""

    def __init__(self, timestamp_column: str | None = None, index_columns: list[str] | None = None) -> None:
        self.timestamp_column = timestamp_column
        self.index_columns = list(index_columns or [])


class MLTable:
    """Paths and transformations. Nothing is read before data is asked for; every change makes a new table.

    Made by `load` and the `from_…` functions.
    """

    def __init__(self, document: dict[str, Any], base: str, name: str = FILE) -> None:
        self._document = _checked(document, name)
        self._base = base
        self._name = name

    def __repr__(self) -> str:
        return yaml_text.written(self._document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MLTable) and (self._document, self._base) == (other._document, other._base)

    __hash__ = None  # type: ignore[assignment]

    @property
    def paths(self) -> list[dict[str, str]]:
        """The items as they were given."""
        return copy.deepcopy(self._document["paths"])

    @property
    def partition_keys(self) -> list[str]:
        """The columns that come from paths."""
        found = []
        for step, value in _steps_of(self._document):
            if step == "extract_columns_from_partition_format":
                found += list(steps._partition(value)[1])
        return found

    @property
    def traits(self) -> Traits:
        given = self._document.get("traits") or {}
        return Traits(given.get("timestamp_column"), given.get("index_columns"))

    # -- transformations

    def _with(self, step: str, value: Any) -> MLTable:
        document = copy.deepcopy(self._document)
        document.setdefault("transformations", []).append({step: value})
        return MLTable(document, self._base, self._name)

    def keep_columns(self, columns: Any) -> MLTable:
        """Only these columns, in the order that the table has them."""
        names = steps.list_of_names(columns, "keep_columns")
        self._traits_stay([name for name in self._trait_columns() if name not in names], names)
        return self._with("keep_columns", names) if names else self

    def drop_columns(self, columns: Any) -> MLTable:
        """All columns but these."""
        names = steps.list_of_names(columns, "drop_columns")
        self._traits_stay([name for name in self._trait_columns() if name in names], names)
        return self._with("drop_columns", names) if names else self

    def filter(self, expression: str) -> MLTable:
        """The rows for which an expression such as `col("a") > 3 and col("b") == "x"` is true."""
        return self._with("filter", expression)

    def skip(self, count: int) -> MLTable:
        """All rows but the first `count`."""
        return self._with("skip", count)

    def take(self, count: int = 20) -> MLTable:
        """The first `count` rows."""
        return self._with("take", count)

    def take_random_sample(self, probability: float, seed: int | None = None) -> MLTable:
        """Each row with this probability. Without a seed one is drawn now: the table gives the same rows each time."""
        seed = random.randrange(1 << 31) if seed is None else seed  # noqa: S311 - a sample of rows, no secret
        return self._with("take_random_sample", {"probability": probability, "seed": seed})

    def convert_column_types(self, column_types: Any) -> MLTable:
        """`{"a": DataType.to_int(), ("b", "c"): DataType.to_datetime("%Y")}`."""
        entries = [
            {"columns": names[0] if len(names) == 1 else names, "column_type": kind.as_document()}
            for names, kind in steps.conversions(column_types)
        ]
        return self._with("convert_column_types", entries)

    def extract_columns_from_partition_format(self, partition_format: str) -> MLTable:
        """Columns from the paths of the files: `/{region}/{day:yyyy/MM/dd}/data.csv`."""
        return self._with("extract_columns_from_partition_format", partition_format)

    def random_split(self, percent: float = 0.5, seed: int | None = None) -> tuple[MLTable, MLTable]:
        """Not here: a sample's complement cannot be written in an MLTable file."""
        raise MLTableError(
            "`random_split` is not supported; split the DataFrame: "
            "first = frame.sample(frac={}, random_state={}); rest = frame.drop(first.index)".format(
                percent, seed
            )
        )

    def _trait_columns(self) -> list[str]:
        traits = self.traits
        return [name for name in [traits.timestamp_column] + traits.index_columns if name]

    def _traits_stay(self, lost: list[str], names: list[str]) -> None:
        if lost and names:
            raise MLTableError("column `{}` is one of the table's traits, and must stay".format(lost[0]))

    # -- data

    def files(self) -> list[str]:
        """The files that the paths name, on this machine, in the order in which they are read."""
        return [file for entry in self._document["paths"] for file in files_of(entry, self._base)]

    def to_pandas_dataframe(self) -> Any:
        """The table as a DataFrame: every file is read, every transformation applied in order."""
        todo = _steps_of(self._document)
        first = todo[0][0] if todo else ""
        if first == "read_delta_lake":
            frame = reading.read_delta(todo[0][1], self._delta_folders())
        elif first in reading.READ_STEPS:
            frame = reading.read(first, todo[0][1], self.files())
        else:
            frame = reading.listing(self.files())
        for step, value in todo[1:] if first in reading.READ_STEPS else todo:
            frame = steps.apply(step, value, frame)
        return frame.drop(columns=[SOURCE])

    def _delta_folders(self) -> list[str]:
        for entry in self._document["paths"]:
            if "folder" not in entry:
                raise MLTableError("a Delta table is a folder: write `folder:` in `paths`")
        folders = [local_path(entry["folder"], self._base) for entry in self._document["paths"]]
        for folder in folders:
            if not os.path.isdir(os.path.join(folder, "_delta_log")):
                raise MLTableError("{} is no Delta table: it has no folder `_delta_log`".format(folder))
        return folders

    def show(self, count: int = 20) -> Any:
        """The first rows as a DataFrame."""
        return self.take(count).to_pandas_dataframe()

    def validate(self) -> None:
        """Read the first row; MLTableError where the table cannot be read."""
        self.take(1).to_pandas_dataframe()

    def save(
        self,
        path: Any = None,
        overwrite: bool = True,
        colocated: bool = False,
        show_progress: bool = False,
        if_err_remove_files: bool = True,
    ) -> MLTable:
        """Write the MLTable file into a folder (made where needed); by default into the current one.

        Local paths are written relative to the folder. `colocated` copies the files beside the MLTable file. `show_progress` and
        `if_err_remove_files` are accepted: nothing is printed, and files that were copied before an error are taken away.
        """
        folder = os.path.abspath(os.fspath(path) if path is not None else os.getcwd())
        if is_address(str(path or "")):
            raise MLTableError(
                "a table is saved into a folder, not to `{}`; write into an output of the job".format(path)
            )
        target = os.path.join(folder, FILE)
        if os.path.exists(target) and not overwrite:
            raise MLTableError("{} exists; it is written over only with `overwrite=True`".format(target))
        os.makedirs(folder, exist_ok=True)
        document = dict(copy.deepcopy(self._document))
        document["paths"] = (
            copied(self.files(), folder, self._base, clean_up=if_err_remove_files)
            if colocated
            else [relative(entry, self._base, folder) for entry in document["paths"]]
        )
        document = {"type": "mltable", **document}
        with open(target, "w", encoding="utf-8") as stream:
            stream.write(yaml_text.written(document))
        return MLTable(document, folder, target)


def _steps_of(document: dict[str, Any]) -> list[tuple[str, Any]]:
    """The transformations as pairs, each with its checked value."""
    found = []
    for number, entry in enumerate(document.get("transformations") or []):
        if isinstance(entry, str):
            entry = {entry: None}
        if not isinstance(entry, dict) or len(entry) != 1:
            raise MLTableError("transformation {} is `{}`; each item names one".format(number + 1, entry))
        ((step, value),) = entry.items()
        if step in reading.READ_STEPS:
            if number:
                raise MLTableError(
                    "`{}` must be the first transformation, and the only one that reads".format(step)
                )
            found.append((step, reading.checked_settings(step, value)))
        elif step in steps.STEPS:
            found.append((step, steps.checked(step, value)))
        else:
            known = ", ".join(reading.READ_STEPS + steps.STEPS)
            raise MLTableError("`{}` is no transformation: there are {}".format(step, known))
    names = [step for step, _ in found]
    if "read_delta_lake" in names and "extract_columns_from_partition_format" in names:
        raise MLTableError("`extract_columns_from_partition_format` cannot be used with `read_delta_lake`")
    return found


def _checked(document: Any, name: str) -> dict[str, Any]:
    try:
        if not isinstance(document, dict):
            raise MLTableError("it holds no mapping with `paths`")
        for key in document:
            if key not in _TOP:
                raise MLTableError(
                    "`{}` is no field of an MLTable file: there are {}".format(key, ", ".join(_TOP))
                )
        if document.get("type", "mltable") != "mltable":
            raise MLTableError("`type: {}` is not `mltable`".format(document["type"]))
        traits = document.get("traits") or {}
        if not isinstance(traits, dict) or not set(traits) <= set(_TRAITS):
            raise MLTableError("`traits` takes {}".format(" and ".join(_TRAITS)))
        checked = dict(document, paths=checked_paths(document.get("paths")))
        if checked.get("transformations") is None:
            checked.pop("transformations", None)
        elif not isinstance(checked["transformations"], list):
            raise MLTableError("`transformations` is a list")
        _steps_of(checked)
    except MLTableError as error:
        raise type(error)("{}: {}".format(name, error)) from error
    return checked


def load(uri: Any, storage_options: Any = None, ml_client: Any = None) -> MLTable:
    """The table of a folder that holds an `MLTable` file. Also the file itself may be named, or `azureml://datastores/…`.

    `storage_options` and `ml_client` are accepted: what a step may read is on this machine.
    """
    places = known_map()
    folder = local_path(os.fspath(uri), os.getcwd(), places)
    if os.path.basename(folder) == FILE and os.path.isfile(folder):
        folder = os.path.dirname(folder)
    file = os.path.join(folder, FILE)
    if not os.path.isfile(file):
        what = (
            "it is a file"
            if os.path.isfile(folder)
            else "it holds none"
            if os.path.isdir(folder)
            else "it does not exist"
        )
        raise MLTableError("{} is no folder with a file named MLTable: {}".format(folder, what))
    with open(file, "rb") as stream:
        content = stream.read()
    document = (places.get("tables") or {}).get(hashlib.sha256(content).hexdigest())
    if document is None:
        try:
            document = yaml_text.read(content.decode("utf-8-sig"), file)
        except UnicodeDecodeError as error:
            raise MLTableError("{} is not UTF-8 text".format(file)) from error
    return MLTable(document, folder, file)


def from_paths(paths: Any) -> MLTable:
    """A table that is a list of files: `[{"file": "a.png"}, {"folder": "b"}, {"pattern": "c/*.png"}]`."""
    return MLTable({"type": "mltable", "paths": paths}, os.getcwd())


def _reading(paths: Any, step: str, settings: dict[str, Any]) -> MLTable:
    document = {"type": "mltable", "paths": paths, "transformations": [{step: settings}]}
    return MLTable(document, os.getcwd())


def from_delimited_files(
    paths: Any,
    header: Any = "all_files_same_headers",
    delimiter: str = ",",
    support_multi_line: bool = False,
    empty_as_string: bool = False,
    encoding: Any = "utf8",
    include_path_column: bool = False,
    infer_column_types: Any = True,
) -> MLTable:
    """A table of delimited files. Relative paths start from the current folder."""
    if isinstance(infer_column_types, dict) and not set(infer_column_types) <= {
        "sample_size",
        "column_type_overrides",
    }:
        infer_column_types = {"column_type_overrides": infer_column_types}
    if isinstance(infer_column_types, dict) and "column_type_overrides" in infer_column_types:
        overrides = infer_column_types["column_type_overrides"] or {}
        infer_column_types = dict(
            infer_column_types,
            column_type_overrides={name: DataType.of(kind).as_document() for name, kind in overrides.items()},
        )
    settings = {
        "delimiter": delimiter,
        "header": chosen(header, MLTableHeaders, "header"),
        "support_multi_line": support_multi_line,
        "empty_as_string": empty_as_string,
        "encoding": chosen(encoding, MLTableFileEncoding, "encoding"),
        "include_path_column": include_path_column,
        "infer_column_types": infer_column_types,
    }
    return _reading(paths, "read_delimited", settings)


def from_parquet_files(paths: Any, include_path_column: bool = False) -> MLTable:
    """A table of Parquet files. Relative paths start from the current folder."""
    return _reading(paths, "read_parquet", {"include_path_column": include_path_column})


def from_json_lines_files(
    paths: Any, invalid_lines: str = "error", encoding: Any = "utf8", include_path_column: bool = False
) -> MLTable:
    """A table of files with one JSON mapping a line. Relative paths start from the current folder."""
    settings = {
        "invalid_lines": getattr(invalid_lines, "name", invalid_lines),
        "encoding": chosen(encoding, MLTableFileEncoding, "encoding"),
        "include_path_column": include_path_column,
    }
    return _reading(paths, "read_json_lines", settings)


def from_delta_lake(
    delta_table_uri: Any,
    timestamp_as_of: str | None = None,
    version_as_of: int | None = None,
    include_path_column: bool = False,
) -> MLTable:
    """A Delta table as it was at a time or in a version; without either as it is now."""
    settings: dict[str, Any] = {"timestamp_as_of": timestamp_as_of, "version_as_of": version_as_of}
    settings = {key: value for key, value in settings.items() if value is not None}
    if not settings:
        settings = {"timestamp_as_of": "9999-12-31T00:00:00Z"}
    if include_path_column:
        raise MLTableError(
            "`include_path_column` is not supported with Delta tables: their rows have no path"
        )
    return _reading([{"folder": os.fspath(delta_table_uri)}], "read_delta_lake", settings)
