"""What `--set`, `--add` and `--remove` make of a record."""

from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.resources.changes import Changes, applied, changed_fields

RECORD: dict[str, Any] = {
    "name": "taxi",
    "path": "azureml://datastores/d/paths/p",
    "description": None,
    "tags": {"team": "fares", "a.b": "dotted", "rows": 5},
    "properties": {"origin": "city"},
}
MAY_CHANGE = ("description", "tags", "properties")


def changed(**changes: Any) -> dict[str, Any]:
    return changed_fields(RECORD, Changes(**changes), what="data `taxi:1`", may_change=MAY_CHANGE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"set": {"description": "fares of a year"}}, {"description": "fares of a year"}),
        ({"set": {"description": None}}, {}),
        ({"set": {"tags.team": "rides"}}, {"tags": {**RECORD["tags"], "team": "rides"}}),
        ({"set": {'tags."a.b"': "x"}}, {"tags": {**RECORD["tags"], "a.b": "x"}}),
        ({"set": {"tags.team": "fares"}}, {}),
        ({"set": {"tags": {"only": 1}}}, {"tags": {"only": "1"}}),
        ({"set": {"tags": None}}, {"tags": {}}),
        ({"add": [("tags", {"x": "1", "y": "2"})]}, {"tags": {**RECORD["tags"], "x": "1", "y": "2"}}),
        ({"remove": ["tags.team", 'tags."a.b"']}, {"tags": {"rows": 5}}),
        ({"remove": ["tags"]}, {"tags": {}}),
        ({"set": {"properties.rows": "10"}}, {"properties": {"origin": "city", "rows": "10"}}),
        ({"set": {"tags.a": "1"}, "add": [("tags", {"b": "2"})], "remove": ["tags.a"]}, {"tags": {**RECORD["tags"], "b": "2"}}),
    ],
)  # fmt: skip
def test_only_what_becomes_something_else_is_changed(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Sets first, then additions, then removals; what was there and stays is as it was."""
    assert changed(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"set": {"path": "x"}}, "`path` of data `taxi:1` cannot be changed", "create a new one"),
        ({"set": {"descripton": "x"}}, "`descripton` of data `taxi:1` cannot be changed", "did you mean `description`"),
        ({"remove": ["name"]}, "`name` of data `taxi:1` cannot be changed", "create a new one"),
        ({"set": {"properties.origin": "moon"}}, "property `origin` cannot be changed or removed", "use a tag"),
        ({"remove": ["properties"]}, "property `origin` cannot be changed or removed", "use a tag"),
        ({"set": {"description": ["x"]}}, "`description` is a text, not ['x']", "--force-string"),
        ({"set": {"tags": "x"}}, "`tags` holds keys with values, not 'x'", "--set tags.key=value"),
        ({"set": {"tags.deep": {"a": 1}}}, "`tags.deep` is a text, not {'a': 1}", "--force-string"),
        ({"set": {"tags.team.x": "1"}}, "cannot set `tags.team.x`: `tags.team` is the text `fares`", "replace it as a whole"),
        ({"add": [("tags", "x")]}, "cannot add `x` to `tags`", "--add tags key=value"),
        ({"add": [("tags.team", "x")]}, "cannot add to `tags.team`", "--set tags.team"),
        ({"remove": ["tags.tem"]}, "there is no `tags.tem` to remove", "did you mean `team`"),
        ({"remove": ["tags.x.y"]}, "there is no `tags.x`", None),
    ],
)  # fmt: skip
def test_what_may_not_change_is_refused_by_name(
    changes: dict[str, Any], message: str, hint: str | None
) -> None:
    """Edge case 1.4 too: a text on the way cannot be reached into."""
    with pytest.raises(PenstockError) as caught:
        changed(**changes)

    assert message in caught.value.message
    assert hint is None or hint in str(caught.value.hint)
    if "cannot be changed" in message and "property" not in message:
        assert caught.value.details == ("can be changed: description, tags, properties",)


def test_lists_are_added_to_and_taken_from() -> None:
    """By index; a list that is not there yet is begun. The given record stays as it is."""
    record = {"rows": ["a", "b"], "none": None}

    after = applied(
        record, Changes(add=(("rows", "c"), ("none", {"k": "v"}), ("fresh", "x")), remove=("rows[0]",))
    )

    assert after == {"rows": ["b", "c"], "none": {"k": "v"}, "fresh": ["x"]}
    assert record == {"rows": ["a", "b"], "none": None}
