"""The types of columns that are written as text: told from a sample of their values, or from all of them.

A column is a boolean, a whole number, a number, a date or a time only where every value of it is one; else it is text. Decided here:
- Whole numbers that do not fit in 64 bits are text: no digit is lost.
- Dates and times are ISO 8601 (`2024-01-31`, also with `/`; `2024-01-31 08:15:00.5`, with `T`, with `Z` or an offset), all of a column in one
  form. What people write otherwise (`03/04/2024`) is ambiguous, and stays text.
- `NA`, `NULL`, `None` and their like are null in a column whose other values are not text; in a column of text they are text.
- `NaN`, `inf` and `-inf` are numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars

Kind = Literal["string", "boolean", "int64", "uint64", "float64", "date", "datetime"]

NULLS = ("NA", "N/A", "#N/A", "#NA", "<NA>", "NULL", "null", "None", "n/a")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_ISO = r"^\d{4}[-/]\d{2}[-/]\d{2}([ T]\d|$)"
_DATES = ("%Y-%m-%d", "%Y/%m/%d")
_TIMES = tuple(
    f"%Y{dash}%m{dash}%d{between}{clock}"
    for dash in "-/"
    for between in " T"
    for clock in ("%H:%M:%S%.f", "%H:%M", "%H:%M:%S%.f%#z")
)
# What a column of a kind may turn out to be when all its values are seen.
_WIDER: dict[Kind, tuple[Kind, ...]] = {
    "boolean": ("boolean",), "int64": ("int64", "uint64", "float64"), "uint64": ("uint64", "float64"),
    "float64": ("float64",), "date": ("date",), "datetime": ("datetime",),
}  # fmt: skip
_ALL: tuple[Kind, ...] = ("boolean", "int64", "uint64", "float64", "date", "datetime")


@dataclass(frozen=True)
class TextType:
    """What a column of text is read as. `format` is that of its times. `has_nulls`: some of its values are written NA or the like, or, where
    we make its values ourselves, with blanks around them."""

    kind: Kind
    format: str | None = None
    has_nulls: bool = False
    is_told: bool = True  # False: no value was seen that would tell

    @property
    def is_native(self) -> bool:
        """Whether the reader of text makes such values by itself."""
        return self.kind in ("int64", "uint64", "float64") and not self.has_nulls

    def scanned_as(self, *, sure: bool) -> "polars.DataType":
        """The type in which the reader of text brings the column."""
        import polars as pl

        if sure or not self.is_native:
            return pl.String()
        return {"int64": pl.Int64(), "uint64": pl.UInt64(), "float64": pl.Float64()}[self.kind]


def column_called(name: str) -> "polars.Expr":
    """The column of exactly this name: to `polars.col` one that is called `*` or `^a$` is a pattern for several."""
    import polars.selectors as cs

    return cs.by_name(name).as_expr()


def types_of(
    sample: "polars.LazyFrame",
    names: Iterable[str],
    *,
    is_whole: bool,
    whole: Callable[[], "polars.LazyFrame"],
    sure: bool,
) -> dict[str, TextType]:
    """The type of each column. `whole` gives all values as text: asked for columns that the sample does not tell, and, where the types
    must be `sure`, for all that are not text."""
    found = _seen(sample, dict.fromkeys(names, TextType("string", is_told=False)))
    if is_whole:
        return found
    open_columns = {
        name: kind for name, kind in found.items() if not kind.is_told or (sure and kind.kind != "string")
    }
    if open_columns:
        found.update(_seen(whole(), open_columns))
    return found


def as_typed(frame: "polars.LazyFrame", types: Mapping[str, TextType], *, sure: bool) -> "polars.LazyFrame":
    """The frame with those columns converted that the reader of text left as text. A value that does not fit is an error when it is read."""
    import polars as pl

    made = []
    for name, kind in types.items():
        if kind.kind == "string" or (kind.is_native and not sure):
            continue
        column = column_called(name)
        text = _value(column) if sure or kind.has_nulls else column
        if kind.kind == "boolean":
            made.append(_truth(text).alias(name))
        elif kind.kind == "date":
            made.append(text.str.to_date(kind.format, strict=True).alias(name))
        elif kind.kind == "datetime":
            made.append(_times(text, str(kind.format), strict=True).alias(name))
        else:
            dtype = {"int64": pl.Int64, "uint64": pl.UInt64, "float64": pl.Float64}[kind.kind]
            made.append(text.cast(dtype, strict=True).alias(name))
    return frame.with_columns(made) if made else frame


def _seen(text: "polars.LazyFrame", columns: Mapping[str, TextType]) -> dict[str, TextType]:
    """One pass over columns of text: what all their values may be read as."""
    asked: list[Any] = []  # Any: polars.Expr, which is imported only here
    for number, (name, known) in enumerate(columns.items()):
        for what, expression in _questions(column_called(name), known).items():
            asked.append(expression.alias(f"{number} {what}"))
    if not asked:
        return {}
    counts = text.select(asked).collect(engine="streaming").row(0, named=True)
    found = {}
    for number, (name, known) in enumerate(columns.items()):
        own = {what: counts[f"{number} {what}"] for what in _questions(column_called(name), known)}
        found[name] = _type(own)
    return found


def _questions(column: "polars.Expr", known: TextType) -> "dict[str, polars.Expr]":
    """How many values there are, and how many of them are of each kind that the column may have."""
    import polars as pl

    value = _value(column)
    kinds = _WIDER.get(known.kind, _ALL)
    text = column.str.strip_chars()
    asked = {"count": value.count(), "nulls": text.is_in(NULLS).sum(), "padded": (text != column).sum()}
    asked["empty"] = (text == "").sum()
    if "boolean" in kinds:
        asked["boolean"] = value.is_in([*_TRUE, *_FALSE]).sum()
    for kind, dtype in (("int64", pl.Int64), ("uint64", pl.UInt64), ("float64", pl.Float64)):
        if kind in kinds:
            asked[kind] = value.cast(dtype, strict=False).count()
    if "uint64" in kinds:
        asked["digits"] = value.str.contains(r"^[+-]?[0-9]+$").sum()
    if "date" in kinds or "datetime" in kinds:
        asked["iso"] = value.str.contains(_ISO).sum()
    if "date" in kinds:
        for form in (known.format,) if known.format else _DATES:
            asked[f"date {form}"] = value.str.to_date(form, strict=False).count()
    if "datetime" in kinds:
        for form in (known.format,) if known.format else _TIMES:
            asked[f"datetime {form}"] = _times(value, str(form), strict=False).count()
    return asked


def _type(counts: Mapping[str, int]) -> TextType:
    total, has_nulls = counts["count"], counts["nulls"] > 0
    if not total:
        return TextType("string", is_told=False)
    kinds: tuple[Kind, ...] = ("boolean", "int64", "uint64")
    is_odd = has_nulls or counts["padded"] > 0 or counts["empty"] > 0
    for kind in kinds:
        if counts.get(kind) == total:
            return TextType(kind, has_nulls=is_odd if kind == "boolean" else has_nulls)
    if counts.get("float64") == total and counts.get("digits") != total:
        return TextType("float64", has_nulls=has_nulls)
    if counts.get("iso") == total:
        for what, count in counts.items():
            kind_of_time, _, form = what.partition(" ")
            if form and count == total:
                return TextType("date" if kind_of_time == "date" else "datetime", form, is_odd)
    return TextType("string")


def _value(column: "polars.Expr") -> "polars.Expr":
    """The value without blanks around it; null where it is empty or written as one of NULLS."""
    import polars as pl

    text = column.str.strip_chars()
    return pl.when((text != "") & ~text.is_in(NULLS)).then(text)


def _truth(text: "polars.Expr") -> "polars.Expr":
    """True and false, and an error for what is neither. Not `replace_strict`: the engine reads all of a file into memory for it."""
    import polars as pl

    digit = pl.when(text.is_in(_TRUE)).then(pl.lit("1")).when(text.is_in(_FALSE)).then(pl.lit("0"))
    return (
        digit.otherwise(pl.lit("neither true nor false: ") + text).cast(pl.Int8, strict=True).cast(pl.Boolean)
    )


def _times(text: "polars.Expr", form: str, *, strict: bool) -> "polars.Expr":
    zone = "UTC" if form.endswith("z") else None
    return text.str.to_datetime(form, time_unit="us", time_zone=zone, strict=strict)
