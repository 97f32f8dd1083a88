"""Reading YAML: data, positions, and what is refused."""

import json
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument, Problem
from penstock.resources.yaml_source import LARGEST_FILE, Position, load_yaml, parse_yaml, read_yaml


def refusal(text: str) -> Problem:
    """The one problem of a text that is refused."""
    with pytest.raises(InvalidDocument) as caught:
        load_yaml(text, name="job.yml")
    (problem,) = caught.value.problems
    assert problem.code == "syntax"
    assert problem.file == "job.yml"
    return problem


def bomb(levels: int, width: int = 10) -> str:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels: int, width: int = 10) -> str:
    lines = ["m0: &m0 {k: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * width)}]}}" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        pytest.param(bomb(9), "aliases multiply what the file says", None, id="billion laughs"),
        pytest.param("b: &b '" + "x" * 50_000 + "'\nc: [*b, *b, *b]", "aliases multiply", None, id="large text by alias"),
        pytest.param(merge_bomb(9), "merge keys multiply", None, id="merge bomb"),
        pytest.param("a: &a [*a]", "`*a` contains itself", 1, id="alias in itself"),
        pytest.param("a: &a\n  b: *a", "`*a` contains itself", 2, id="mapping in itself"),
        pytest.param("a: &a\n  <<: *a", "`*a` contains itself", 2, id="merge of itself"),
        pytest.param(
            "a0: &a0 x\n" + "\n".join(f"a{n}: &a{n} [[[[*a{n - 1}]]]]" for n in range(1, 50)), "nested more than 64 deep", None,
            id="depth by alias",
        ),
        pytest.param("a: " + "[" * 100_000, "nested more than 64 deep", 1, id="depth of lists"),
        pytest.param("a: " + "{a: " * 100_000, "nested more than 64 deep", 1, id="depth of mappings"),
        pytest.param("name: a\nname: b", "key `name` is given twice, first in line 1", 2, id="duplicate key"),
        pytest.param("jobs:\n  a: {x: 1, y: 2, x: 3}", "key `x` is given twice, first in line 2", 2, id="duplicate in flow"),
        pytest.param("1: a\n'1': b", "key `1` is given twice", 2, id="duplicate as text and number"),
        pytest.param("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "key `<<` is given twice", 4, id="duplicate merge"),
        pytest.param("a:\n  <<: 3", "a merge key `<<` takes a mapping", 2, id="merge of a number"),
        pytest.param("a:\n  <<: [1]", "a merge key `<<` takes a mapping", 2, id="merge of a list of numbers"),
        pytest.param("a: !!python/object/apply:os.system ['id']", "the tag `!!python/object/apply:os.system`", 1, id="python call"),
        pytest.param("!!python/name:os.system", "the tag `!!python/name:os.system`", 1, id="python name"),
        pytest.param("a: !!python/tuple [1]", "the tag `!!python/tuple`", 1, id="python tuple"),
        pytest.param("a: !include /etc/passwd", "the tag `!include`", 1, id="own tag"),
        pytest.param("a: !<tag:evil,2000:x> 1", "the tag `tag:evil,2000:x`", 1, id="verbatim tag"),
        pytest.param("%TAG !e! tag:yaml.org,2002:python/\n---\na: !e!object:x {}", "the tag `!!python/object:x`", 3, id="tag by directive"),
        pytest.param("a: !!binary aGk=", "the tag `!!binary`", 1, id="binary"),
        pytest.param("a: !!set {x}", "the tag `!!set`", 1, id="set"),
        pytest.param("? !!python/name:os.system\n: 1", "the tag `!!python/name:os.system`", 1, id="tag on a key"),
        pytest.param("? [a]\n: 1", "a key must be text", 1, id="list as key"),
        pytest.param("a: .nan", "`.nan` is not a finite number", 1, id="not a number"),
        pytest.param("a: !!int x", "`x` is not a value of its type, int", 1, id="wrong tag"),
        pytest.param("a: " + "9" * 5000, "is not a value of its type, int", 1, id="endless number"),
        pytest.param("a: 1\n---\nb: 2", "more than one document", 2, id="two documents"),
        pytest.param("a: *nothing", "`*nothing` refers to nothing", 1, id="unknown alias"),
        pytest.param("a: \x07", "characters that are not allowed", 1, id="control character"),
        pytest.param("a: b\nc: \ud800", "characters that are not allowed", 2, id="half a character"),
    ],
)  # fmt: skip
def test_reliability_07_what_yaml_can_be_misused_for_is_refused(
    text: str, message: str, line: int | None
) -> None:
    """Bombs, duplicate keys, merge-key abuse and tags are errors that name the line; none takes long, or runs anything."""
    problem = refusal(text)

    assert message in problem.message
    assert line is None or problem.line == line
    assert len(problem.message) < 200


@given(st.text(st.sampled_from("ab:- \n[]{},&*!<>|'\"#%?@`~01.\t"), max_size=60))
def test_reliability_07_any_text_gives_json_or_one_problem(text: str) -> None:
    """Whatever is read can be sent as JSON; whatever is not is one problem with a line."""
    try:
        data = load_yaml(text, name="job.yml")
    except InvalidDocument as error:
        found = [problem.line for problem in error.problems]
        data = None
        assert len(found) == 1
        assert found[0] is not None
    json.dumps(data, allow_nan=False)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab \n:-#é", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc/~", max_size=3), JSON, max_size=4), st.booleans())
def test_what_pyyaml_writes_is_read_as_it_was(data: dict[str, object], flow: bool) -> None:
    """For JSON-like data this reader and PyYAML's agree, and every value has a position."""
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)

    read = parse_yaml(text, name="job.yml")

    assert read.data == data
    for key in data:
        assert "/" + key.replace("~", "~0").replace("/", "~1") in read.positions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-1", -1), ("010", 8), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("1:30", 90), ("190:20:30", 685230),
        ("1.5", 1.5), ("1.0e+3", 1000.0), ("1e3", "1e3"), (".5", 0.5), ("yes", True), ("Off", False), ("null", None), ("~", None),
        ("", None), ("2024-05-01", "2024-05-01"), ("2024-05-01 10:00:00", "2024-05-01 10:00:00"), ("'1'", "1"), ("!!str 1", "1"),
        ("1.10.0", "1.10.0"), ("=", "="), ("0o10", "0o10"), ("|\n  a\n  b\n", "a\nb\n"), (">-\n  a\n  b\n", "a b"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_1_but_dates_are_text(text: str, value: object) -> None:
    """The table that Azure ML's loader has, with its surprises; JSON has no dates."""
    assert load_yaml(f"k: {text}", name="job.yml") == {"k": value}


def test_keys_are_the_text_that_was_written() -> None:
    """`on`, `1` and `~` are names here."""
    assert load_yaml("on: 1\n1: 2\n~: 3\ntrue: 4", name="x") == {"on": 1, "1": 2, "~": 3, "true": 4}


def test_aliases_and_merge_keys_are_written_out() -> None:
    """Ordinary use works; a mapping's own keys win, then the first source; no two places share a value."""
    text = """
    base: &base {image: a, os: linux}
    other: &other {image: b, cpu: 2}
    one: *base
    two:
      image: c
      <<: [*base, *other]
    """
    data = load_yaml(textwrap.dedent(text), name="x")

    assert data["one"] == {"image": "a", "os": "linux"}
    assert data["two"] == {"image": "c", "os": "linux", "cpu": 2}
    assert data["one"] is not data["base"]


def test_every_value_knows_its_line() -> None:
    """A key's line and column for values of mappings, the item's for lists; lines count from 1."""
    text = "type: command\ninputs:\n  rate: 0.1\n  a/b~c:\n    path: x\nlist:\n  - one\n  - two: 2\n"

    positions = parse_yaml(text, name="job.yml").positions

    assert positions[""] == Position("job.yml", 1, 1)
    assert positions["/inputs/rate"] == Position("job.yml", 3, 3)
    assert positions["/inputs/a~1b~0c/path"] == Position("job.yml", 5, 5)
    assert positions["/list/1"] == Position("job.yml", 8, 5)
    assert positions["/list/1/two"] == Position("job.yml", 8, 5)


def test_a_version_that_loses_its_zero_is_warned_of() -> None:
    """`1.10` without quotes is the number 1.1, as in Azure ML; one says so."""
    read = parse_yaml("name: x\nversion: 1.10", name="env.yml")

    assert read.data["version"] == 1.1
    assert read.warnings == ('env.yml:2: version 1.10 is the number 1.1; write "1.10" if you mean the text',)
    assert parse_yaml("version: 1.0", name="x").warnings == ()


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("a:\n\tb: 1", 2, "indent with blanks"),
        ("command: @x", 1, "put the text in quotes"),
        ("a: ${{b}}: c", 1, "put the text in quotes"),
        ("endpoint_name: {{ENDPOINT}}", 1, "is a placeholder that a script fills in"),
        ("model: {{MODEL}}:1", 1, "is a placeholder that a script fills in"),
        ("description: a: b", 1, "a text that holds `: ` needs quotes"),
    ],
)
def test_common_slips_come_with_the_next_step(text: str, line: int, hint: str) -> None:
    """The line, and what to do."""
    problem = refusal(text)

    assert problem.line == line
    assert hint in str(problem.hint)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """Files of Windows editors are read like others."""
    file = tmp_path / "job.yml"
    file.write_bytes(b"\xef\xbb\xbfname: \xc3\xbc\r\n")

    assert read_yaml(file, name="job.yml").data == {"name": "ü"}


def test_a_file_that_is_not_utf_8_names_its_line(tmp_path: Path) -> None:
    """The line of the first wrong byte."""
    file = tmp_path / "job.yml"
    file.write_bytes(b"a: 1\nb: \xff\n")

    with pytest.raises(InvalidDocument) as caught:
        read_yaml(file, name="job.yml")

    assert (caught.value.problems[0].line, caught.value.problems[0].hint) == (2, "save the file as UTF-8")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Nobody writes 5 MB of YAML; somebody may name the wrong file."""
    file = tmp_path / "job.yml"
    file.write_bytes(b"#" * (LARGEST_FILE + 1))

    with pytest.raises(InvalidDocument) as caught:
        read_yaml(file, name="job.yml")

    assert "larger than 5 MB" in caught.value.problems[0].message


def test_pyyaml_without_its_c_library_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML was built without libyaml, data, positions and refusals are the same."""
    text = "a: &a {x: 1.5, y: [on, 'b', 2024-01-01]}\nb:\n  <<: *a\n  c: |\n    text\n"
    with_library = parse_yaml(text, name="x")

    monkeypatch.delattr("yaml.CSafeLoader", raising=False)

    assert parse_yaml(text, name="x") == with_library
    assert "nested more than 64 deep" in refusal("a: " + "[" * 1000).message
    assert "the tag `!!python/name:os.system`" in refusal("a: !!python/name:os.system").message
    assert "characters that are not allowed" in refusal("a: \x07").message
    assert refusal("a: [").line == 1
