"""The file `MLTable` in a folder of data: how its files become a table.

Checked when a data asset is made of the folder. Steps read the file with the `mltable` package of their environment, or with
ours (`provided/mltable`), which checks it again by itself: there are no models where it runs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from penstock.errors import InvalidDocument, Problem
from penstock.provided.mltable import steps
from penstock.provided.mltable.data_types import DataType
from penstock.provided.mltable.errors import MLTableError
from penstock.resources.field_types import Choice, Flag
from penstock.resources.model_base import Part, recorded
from penstock.resources.wording import describe, pointer_of, problem_from, quoted, trouble
from penstock.resources.yaml_source import YamlText, parse_yaml

FILE_NAME = "MLTable"

Encoding = Annotated[
    Literal["utf8", "iso88591", "latin1", "ascii", "utf16", "utf32", "utf8bom", "windows1252"], Choice()
]


def _checked_step(name: str) -> BeforeValidator:
    """A value as the module that reads tables understands it, so that both say the same about a file."""

    def check(value: Any) -> Any:
        try:
            steps.checked(name, value)
        except MLTableError as error:
            raise trouble(str(error)) from error
        return value

    return BeforeValidator(check)


def _column_type(value: Any) -> Any:
    try:
        DataType.of(value)
    except MLTableError as error:
        raise trouble(str(error)) from error
    return value


def _nothing_is_a_mapping(value: Any) -> Any:
    return {} if value is None else value


class PathItem(Part):
    """One item of `paths`: exactly one of its keys."""

    noun = "an item of `paths`"

    file: str | None = Field(default=None, description="a file, relative to the MLTable file, or an address")
    folder: str | None = Field(default=None, description="all files below a folder")
    pattern: str | None = Field(default=None, description="files by `*`, `?`, `[..]` and `**`")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from _exactly_one(data, cls.known_fields(), "an item of `paths`")


class InferColumnTypes(Part):
    """How types are found out, and which columns have a given one."""

    noun = "`infer_column_types`"

    sample_size: int | None = Field(default=None, gt=0, description="rows; 200 if absent")
    column_type_overrides: dict[str, Annotated[Any, BeforeValidator(_column_type)]] | None = None


class ReadDelimited(Part):
    """Files of texts with delimiters."""

    noun = "`read_delimited`"

    delimiter: str | None = Field(default=None, description="one character; `,` if absent")
    header: (
        Annotated[
            Literal["no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers"],
            Choice(),
        ]
        | None
    ) = None
    encoding: Encoding | None = None
    empty_as_string: Flag = False
    infer_column_types: bool | InferColumnTypes | None = None
    include_path_column: Flag = False
    support_multi_line: Flag = False
    path_column: Any = recorded("the column is always called `Path`")
    partition_size: Any = recorded("files are read whole")


class ReadParquet(Part):
    """Files in the format Parquet."""

    noun = "`read_parquet`"

    include_path_column: Flag = False
    path_column: Any = recorded("the column is always called `Path`")


class ReadJsonLines(Part):
    """Files with one JSON mapping a line."""

    noun = "`read_json_lines`"

    encoding: Encoding | None = None
    invalid_lines: Annotated[Literal["error", "drop"], Choice()] | None = None
    include_path_column: Flag = False
    path_column: Any = recorded("the column is always called `Path`")
    partition_size: Any = recorded("files are read whole")


class ReadDeltaLake(Part):
    """A folder that is a Delta table."""

    noun = "`read_delta_lake`"

    timestamp_as_of: str | None = Field(default=None, description="a time such as 2024-10-01T00:00:00Z")
    version_as_of: int | None = Field(default=None, ge=0)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from _exactly_one(data, cls.known_fields(), "`read_delta_lake`")


class Transformation(Part):
    """One item of `transformations`: exactly one of its keys."""

    noun = "a transformation"

    read_delimited: Annotated[ReadDelimited, BeforeValidator(_nothing_is_a_mapping)] | None = None
    read_parquet: Annotated[ReadParquet, BeforeValidator(_nothing_is_a_mapping)] | None = None
    read_json_lines: Annotated[ReadJsonLines, BeforeValidator(_nothing_is_a_mapping)] | None = None
    read_delta_lake: ReadDeltaLake | None = None
    keep_columns: Annotated[Any, _checked_step("keep_columns")] = None
    drop_columns: Annotated[Any, _checked_step("drop_columns")] = None
    filter: Annotated[Any, _checked_step("filter")] = Field(
        default=None, description='such as `col("a") > 3 and col("b") == "x"`'
    )
    skip: Annotated[Any, _checked_step("skip")] = None
    take: Annotated[Any, _checked_step("take")] = None
    take_random_sample: Annotated[Any, _checked_step("take_random_sample")] = Field(
        default=None, description="`probability` and `seed`"
    )
    convert_column_types: Annotated[Any, _checked_step("convert_column_types")] = Field(
        default=None, description="items with `columns` and `column_type`"
    )
    extract_columns_from_partition_format: Annotated[
        Any, _checked_step("extract_columns_from_partition_format")
    ] = Field(default=None, description="such as `/{region}/{day:yyyy/MM/dd}/data.csv`")

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return data

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if len(data) != 1 or next(iter(data)) not in cls.known_fields():
            yield from _exactly_one(data, cls.known_fields(), "an item of `transformations`")


def _step_alone(value: Any) -> Any:
    """`- read_parquet` and `- read_parquet:` have no settings."""
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, settings),) = value.items()
        if settings is None and str(name).startswith("read_"):
            return {name: {}}
    return value


class Traits(Part):
    """What the columns mean."""

    noun = "`traits`"

    timestamp_column: str | None = None
    index_columns: list[str] | None = None


class MLTableFile(Part):
    """An MLTable file."""

    noun = "an MLTable file"
    output_only = frozenset({"$schema"})

    type: Annotated[Literal["mltable"], Choice()] = "mltable"
    paths: list[PathItem] = Field(min_length=1)
    transformations: list[Annotated[Transformation, BeforeValidator(_step_alone)]] | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="anything; kept")
    traits: Traits | None = None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        items = data.get("transformations")
        names = [_name_of(item) for item in items] if isinstance(items, list) else []
        for index, name in enumerate(names):
            if name.startswith("read_") and index:
                yield Problem(
                    f"/transformations/{index}",
                    f"`{name}` must be the first transformation, and the only one that reads",
                )
        if "read_delta_lake" in names and "extract_columns_from_partition_format" in names:
            index = names.index("extract_columns_from_partition_format")
            message = "`extract_columns_from_partition_format` cannot be used with `read_delta_lake`"
            yield Problem(f"/transformations/{index}", message)


def _name_of(item: Any) -> str:
    return str(next(iter(item), "")) if isinstance(item, Mapping) else str(item)


def _exactly_one(data: Mapping[str, Any], known: Mapping[str, Any], what: str) -> Iterator[Problem]:
    given = [key for key in data if key in known]
    if len(given) > 1:
        yield Problem(pointer_of((given[1],)), f"{what} has one key, not {quoted(given)}")
    elif not given and not set(data) - set(known):
        yield Problem("", f"{what} has exactly one of {quoted(sorted(known))}", code="missing")


def digest_of(content: bytes) -> str:
    """The name by which a step is told what an MLTable file says."""
    return hashlib.sha256(content).hexdigest()


def parse_mltable(content: bytes, name: str) -> tuple[MLTableFile, YamlText]:
    """What an MLTable file says. InvalidDocument carries every problem with the file, as `name`, and the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocument([Problem("", "the file is not UTF-8 text", file=name)]) from error
    source = parse_yaml(text, name=name)
    if not isinstance(source.data, dict):
        problem = Problem("", f"{name} holds {describe(source.data)}, not a mapping with `paths`")
        raise InvalidDocument([problem.at(name, 1)])
    try:
        return MLTableFile.model_validate(source.data), source
    except ValidationError as error:
        problems = [problem_from(found) for found in error.errors(include_url=False)]
        raise InvalidDocument(placed(problems, source, name)) from error


def placed(problems: list[Problem], source: YamlText, name: str) -> list[Problem]:
    """The problems with the file and the line of the value that they are about, or of the nearest around it."""
    found = []
    for problem in problems:
        pointer = problem.pointer
        while pointer and pointer not in source.positions:
            pointer = pointer.rpartition("/")[0]
        position = source.positions.get(pointer)
        found.append(replace(problem, file=name, line=position.line if position else 1))
    return found
