"""The read steps: from files to one frame of pandas, in the order of the paths."""

from __future__ import annotations

import datetime
import json
from typing import Any

from .data_types import CODECS, DataType, MLTableFileEncoding, MLTableHeaders, chosen
from .errors import MLTableError, missing_package
from .frames import SOURCE, as_text, converted, inferred, pandas
from .records import delimiter_of, rows_of, unique_names

SAMPLE_SIZE = 200
PATH_COLUMN = "Path"
READ_STEPS = ("read_delimited", "read_parquet", "read_json_lines", "read_delta_lake")
_KNOWN = {
    "read_delimited": (
        "delimiter", "header", "encoding", "empty_as_string", "infer_column_types", "include_path_column",
        "support_multi_line", "path_column", "partition_size",
    ),
    "read_parquet": ("include_path_column", "path_column"),
    "read_json_lines": ("encoding", "invalid_lines", "include_path_column", "path_column", "partition_size"),
    "read_delta_lake": ("timestamp_as_of", "version_as_of", "include_path_column"),
}  # fmt: skip
_INFERENCE = ("sample_size", "column_type_overrides")


def checked_settings(step: str, settings: Any) -> dict[str, Any]:
    """The settings of a read step, with unknown ones refused."""
    settings = {} if settings is None else settings
    if not isinstance(settings, dict):
        raise MLTableError("the settings of `{}` are a mapping, not `{}`".format(step, settings))
    for key in settings:
        if key not in _KNOWN[step]:
            raise MLTableError(
                "`{}` is no setting of `{}`: it takes {}".format(key, step, ", ".join(_KNOWN[step]))
            )
    return settings


def listing(files: list[str]) -> Any:
    """Without a read step a table is a list of files."""
    pd = pandas()
    return pd.DataFrame({PATH_COLUMN: pd.Series(files, dtype=object), SOURCE: pd.Series(files, dtype=object)})


def read(step: str, settings: dict[str, Any], files: list[str]) -> Any:
    """The frame that a read step makes of the files."""
    if step == "read_delimited":
        frame = _delimited(settings, files)
    elif step == "read_parquet":
        frame = _parquet(files)
    elif step == "read_json_lines":
        frame = _json_lines(settings, files)
    else:
        raise AssertionError(step)
    if _flag(settings, "include_path_column", False):
        if PATH_COLUMN in frame.columns:
            raise MLTableError("`include_path_column` adds a column `Path`, and the table has one already")
        frame.insert(0, PATH_COLUMN, frame[SOURCE])
    return frame


def _flag(settings: dict[str, Any], name: str, default: bool) -> bool:
    value = settings.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise MLTableError("`{}` is true or false, not `{}`".format(name, value))
    return value


def _text(file: str, encoding: Any) -> str:
    codec = CODECS[chosen(encoding or "utf8", MLTableFileEncoding, "encoding")]
    with open(file, "rb") as stream:
        content = stream.read()
    try:
        text = content.decode(codec)
    except UnicodeError as error:
        raise MLTableError(
            "{} is not text in the encoding {}: {}".format(file, encoding or "utf8", error)
        ) from error
    return text[1:] if text[:1] == "\ufeff" else text


# -- delimited


def _delimited(settings: dict[str, Any], files: list[str]) -> Any:
    pd = pandas()
    header = chosen(settings.get("header") or "all_files_same_headers", MLTableHeaders, "header")
    delimiter = delimiter_of(settings.get("delimiter"))
    several_lines = _flag(settings, "support_multi_line", False)
    frames: list[Any] = []
    names: list[str] | None = None
    for file in files:
        rows = rows_of(_text(file, settings.get("encoding")), delimiter, several_lines, file)
        takes_header = header.startswith("all_files") or (header == "from_first_file" and names is None)
        if takes_header and len(rows):
            own = unique_names([name if isinstance(name, str) else "" for name in rows.iloc[0]])
            if names is not None and header == "all_files_same_headers" and own != names:
                raise MLTableError(
                    "{} has other column names ({}) than the files before it ({}); with `header: "
                    "all_files_different_headers` columns are put together by name".format(
                        file, ", ".join(own), ", ".join(names)
                    )
                )
            names = own if names is None or header == "all_files_different_headers" else names
            rows = rows.iloc[1:]
        if header == "no_header":
            rows.columns = ["Column{}".format(number + 1) for number in range(rows.shape[1])]
        elif names is not None:
            if rows.shape[1] > len(names):
                raise MLTableError(
                    "{} has rows of {} values under {} column names".format(file, rows.shape[1], len(names))
                )
            rows.columns = names[: rows.shape[1]]
        rows = rows.reset_index(drop=True)
        rows[SOURCE] = file
        frames.append(rows)
    frame = _together(frames, pd)
    return _typed(frame, settings)


def _together(frames: list[Any], pd: Any) -> Any:
    frames = [frame for frame in frames if frame.shape[1] > 1 or len(frame)] or frames
    if not frames:
        return pd.DataFrame({SOURCE: pd.Series([], dtype=object)})
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True, sort=False)
    return frame[[name for name in frame.columns if name != SOURCE] + [SOURCE]].reset_index(drop=True)


def _typed(frame: Any, settings: dict[str, Any]) -> Any:
    inference = settings.get("infer_column_types", True)
    sample_size = SAMPLE_SIZE
    overrides: dict[str, Any] = {}
    if isinstance(inference, dict):
        for key in inference:
            if key not in _INFERENCE:
                raise MLTableError(
                    "`{}` is no setting of `infer_column_types`: it takes {}".format(
                        key, ", ".join(_INFERENCE)
                    )
                )
        given = inference.get("sample_size")
        sample_size = SAMPLE_SIZE if given is None else given
        overrides = inference.get("column_type_overrides") or {}
        if type(sample_size) is not int or sample_size < 1:
            raise MLTableError("`sample_size` is a whole number of rows, not `{}`".format(sample_size))
        if isinstance(overrides, list):  # the form with one mapping a column
            overrides = {name: kind for each in overrides for name, kind in each.items()}
        inference = True
    elif inference is None:
        inference = True
    for name in overrides:
        if name not in frame.columns:
            raise MLTableError("`column_type_overrides` names column `{}`, and the table has {}".format(
                name, ", ".join(map(str, frame.columns[:-1]))))  # fmt: skip
    keeps_empty = _flag(settings, "empty_as_string", False)
    for name in frame.columns[:-1]:
        if name in overrides:
            wanted = DataType.of(overrides[name])
            is_text = wanted.kind == "string"
            frame[name] = as_text(frame[name], keeps_empty) if is_text else converted(frame[name], wanted)
        elif inference:
            frame[name] = inferred(frame[name], sample_size, keeps_empty)
        else:
            frame[name] = as_text(frame[name], keeps_empty)
    return frame


# -- parquet, JSON lines, Delta


def _parquet(files: list[str]) -> Any:
    pd = pandas()
    frames = []
    for file in files:
        try:
            with open(file, "rb") as stream:
                frame = pd.read_parquet(stream)
        except ImportError as error:
            raise missing_package("pyarrow", "`read_parquet`") from error
        except (OSError, ValueError) as error:
            raise MLTableError("{} cannot be read as Parquet: {}".format(file, error)) from error
        frame[SOURCE] = file
        frames.append(frame)
    return _together(frames, pd)


def _json_lines(settings: dict[str, Any], files: list[str]) -> Any:
    pd = pandas()
    invalid = str(settings.get("invalid_lines") or "error").lower()
    if invalid not in ("error", "drop"):
        raise MLTableError("`invalid_lines: {}` is neither `error` nor `drop`".format(invalid))
    rows = []
    for file in files:
        for number, line in enumerate(_text(file, settings.get("encoding")).split("\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("it is no mapping")
            except ValueError as error:
                if invalid == "drop":
                    continue
                raise MLTableError(
                    "{}:{} is no line of JSON ({}); with `invalid_lines: drop` such lines are left out".format(
                        file, number, error
                    )
                ) from error
            row[SOURCE] = file
            rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row if name != SOURCE))
    return pd.DataFrame(rows, columns=names + [SOURCE])


def read_delta(settings: dict[str, Any], folders: list[str]) -> Any:
    """The rows of a Delta table, as they are or were."""
    at, version = settings.get("timestamp_as_of"), settings.get("version_as_of")
    if (at is None) == (version is None):
        raise MLTableError("`read_delta_lake` takes exactly one of `timestamp_as_of` and `version_as_of`")
    try:
        from deltalake import DeltaTable
    except ImportError as error:
        raise missing_package("deltalake", "`read_delta_lake`") from error
    from deltalake.exceptions import DeltaError

    frames = []
    for folder in folders:
        try:
            frame = _delta_version(DeltaTable(folder), at, version)
        except DeltaError as error:
            raise MLTableError("{} cannot be read as a Delta table: {}".format(folder, error)) from error
        frame[SOURCE] = folder
        frames.append(frame)
    return _together(frames, pandas())


def _delta_version(table: Any, at: Any, version: Any) -> Any:
    if version is not None:
        table.load_as_version(int(version))
    else:
        moment = _moment(at)
        # Later than the last change means the newest version.
        latest = max((entry.get("timestamp", 0) for entry in table.history(1)), default=0)
        if moment.timestamp() * 1000 < latest:
            table.load_as_version(moment)
    return table.to_pandas()


def _moment(text: Any) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(str(text).strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise MLTableError(
            "`timestamp_as_of: {}` is no time such as 2024-10-01T00:00:00Z".format(text)
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
