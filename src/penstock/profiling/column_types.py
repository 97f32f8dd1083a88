"""What the types of columns are called in records, and which of them behave alike."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

FAMILIES = ("boolean", "integer", "number", "string", "date", "datetime", "other")
"""`integer` and `number` are both numbers; `other` is what has no order worth showing: lists, structs, bytes."""


def type_name(dtype: "polars.DataType") -> str:
    """`int64`, `float64`, `string`, `boolean`, `date`, `datetime`, `datetime[UTC]`, `list[int64]`, `struct{a: int64}`, …"""
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        return f"datetime[{dtype.time_zone}]" if dtype.time_zone else "datetime"
    if isinstance(dtype, pl.List | pl.Array):
        inner = dtype.inner
        return f"list[{type_name(inner() if isinstance(inner, type) else inner)}]"
    if isinstance(dtype, pl.Struct):
        inside = (
            (field.name, field.dtype() if isinstance(field.dtype, type) else field.dtype)
            for field in dtype.fields
        )
        return "struct{" + ", ".join(f"{name}: {type_name(kind)}" for name, kind in inside) + "}"
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return "categorical"
    return type(dtype).__name__.lower()


def family_of(dtype: "polars.DataType") -> str:
    """Which of FAMILIES a type belongs to. Categories are strings; decimals are numbers."""
    import polars as pl

    if isinstance(dtype, pl.Boolean):
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "string"
    if isinstance(dtype, pl.Date):
        return "date"
    return "datetime" if isinstance(dtype, pl.Datetime) else "other"
