"""Finding records by a tag."""

from sqlalchemy import JSON, Column, ColumnElement, String, cast, func, select


def tagged(tags: "Column[JSON]", tag: str) -> ColumnElement[bool]:
    """Whether a column of tags has this one, given as a key or as `key=value`."""
    # json_each rather than a JSON path: a key may hold quotes, dots and brackets.
    each = func.json_each(tags).table_valued("key", "value")
    key, has_value, value = tag.partition("=")
    found = select(1).select_from(each).where(each.c.key == key)
    if has_value:
        found = found.where(cast(each.c.value, String) == value)
    return found.exists()
