"""The `${{ … }}` language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.resources.expressions import (
    BadExpression,
    Expression,
    Optional_,
    expressions_in,
    parse_template,
    render,
    whole,
)

KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)
BLANKS = st.sampled_from(["", " ", "  ", "\t"])
# Text in which nothing begins: no dollar sign, no bracket that could close a fragment.
PLAIN = st.text(st.characters(exclude_characters="$[]{}", exclude_categories=["Cs"]), max_size=30)


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, str, tuple[str, ...]]:
    """A written expression, its scope and its path."""
    form = draw(st.sampled_from(["keyed", "parent", "jobs", "bare"]))
    left, right = draw(BLANKS), draw(BLANKS)
    if form == "bare":
        scope = draw(st.sampled_from(["name", "output_name", "default_datastore"]))
        return f"${{{{{left}{scope}{right}}}}}", scope, ()
    if form == "jobs":
        path = (
            draw(KEYS),
            draw(st.sampled_from(["inputs", "outputs"])),
            *draw(st.lists(KEYS, min_size=1, max_size=2)),
        )
        return f"${{{{{left}parent.jobs.{'.'.join(path)}{right}}}}}", "parent.jobs", path
    choices = (
        ["inputs", "outputs", "search_space"] if form == "keyed" else ["parent.inputs", "parent.outputs"]
    )
    scope, path = draw(st.sampled_from(choices)), tuple(draw(st.lists(KEYS, min_size=1, max_size=3)))
    return f"${{{{{left}{scope}.{'.'.join(path)}{right}}}}}", scope, path


@given(expressions())
def test_every_form_is_read_whatever_the_blanks(case: tuple[str, str, tuple[str, ...]]) -> None:
    """The scope and the keys come back; the text is the one that was written."""
    text, scope, path = case

    assert whole(text) == Expression(text, scope, path)
    assert whole(f"  {text}\n") == Expression(text, scope, path)
    assert whole(f"{text}x") is None


@given(st.lists(st.one_of(PLAIN, expressions()), max_size=8), st.text(max_size=20))
def test_values_land_where_their_expressions_were_and_nothing_else_changes(
    parts: list[str | tuple[str, str, tuple[str, ...]]], value: str
) -> None:
    """Rendering is replacing: the text around stays byte for byte."""
    text = "".join(part if isinstance(part, str) else part[0] for part in parts)
    expected = "".join(part if isinstance(part, str) else value for part in parts)

    assert render(parse_template(text), lambda expression: value) == expected
    assert [e.path for e in expressions_in(text)] == [p[2] for p in parts if not isinstance(p, str)]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_column(text: str) -> None:
    """No text makes the reader fail in another way than by saying what is wrong, and where."""
    try:
        template = parse_template(text)
    except BadExpression as error:
        refusal: BadExpression | None = error
    else:
        refusal = None
        assert isinstance(render(template, lambda expression: expression.text), str)

    assert refusal is None or (refusal.message and refusal.expected and 1 <= refusal.column <= len(text))


HOSTILE_VALUES = [
    "it's",
    'say "hi"',
    "a\nb\r\n",
    "a; rm -rf ~",
    "$(touch pwned)",
    "`touch pwned`",
    "-rf",
    "--help",
    "${{inputs.y}}",
    "$[[ ${{inputs.y}} ]]",
    "$HOME",
    "\\n",
    "ünï → 🐘",
    "%s {x} \\1 \\g<0>",
    " leading and trailing ",
]


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_reliability_08_a_value_arrives_byte_exact(value: str) -> None:
    """Quotes, newlines, shell syntax, a leading dash, and even an expression inside a value are plain text."""
    template = parse_template("python train.py --x '${{inputs.x}}' $[[--y ${{inputs.x}}]]")

    assert render(template, lambda expression: value) == f"python train.py --x '{value}' --y {value}"


@given(st.text(max_size=200))
def test_reliability_08_any_value_arrives_byte_exact(value: str) -> None:
    """The rendering half of test 8, for every text there is."""
    assert render(parse_template("<${{inputs.x}}>"), lambda expression: value) == f"<{value}>"


def test_a_fragment_goes_when_one_of_its_inputs_has_no_value() -> None:
    """The brackets go in any case; the fragment goes with the first unset input."""
    template = parse_template("a $[[--x ${{inputs.x}} --y ${{inputs.y}} ]]b")
    values = {"x": "1", "y": "2"}

    assert render(template, lambda e: values[e.path[0]]) == "a --x 1 --y 2 b"
    assert render(template, lambda e: {"x": "1"}.get(e.path[0])) == "a b"


def test_an_empty_value_is_a_value() -> None:
    """The empty text keeps its fragment."""
    assert render(parse_template("$[[--x '${{inputs.x}}']]"), lambda e: "") == "--x ''"


def test_an_unset_value_outside_a_fragment_is_an_error() -> None:
    """A bare input without a value would silently change the command."""
    with pytest.raises(BadExpression, match=r"`\$\{\{inputs\.x\}\}` has no value"):
        render(parse_template("--x ${{inputs.x}}"), lambda e: None)


def test_a_fragment_is_parts_of_text_and_expressions() -> None:
    """What is between the brackets is read like the rest."""
    assert parse_template("$[[--x ${{inputs.x}}]]") == (
        Optional_(("--x ", Expression("${{inputs.x}}", "inputs", ("x",)))),
    )


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("run ${{inputs.x", "`${{` is not closed", 5),
        ("run $[[--x", "`$[[` is not closed", 5),
        ("$[[a $[[b]] ]]", "`$[[ … ]]` inside `$[[ … ]]`", 6),
        ("${{}}", "`${{}}` cannot be read", 1),
        ("a ${{ secrets.KEY }}", "`${{ secrets.KEY }}` means nothing here", 3),
        ("${{inputs}}", "`${{inputs}}` names nothing in `inputs`", 1),
        ("${{inputs.a-b}}", "`${{inputs.a-b}}` cannot be read", 1),
        ("${{inputs..a}}", "`${{inputs..a}}` cannot be read", 1),
        ("${{parent}}", "`${{parent}}` means nothing here", 1),
        ("${{parent.search_space.x}}", "`${{parent.search_space.x}}` means nothing here", 1),
        ("${{parent.jobs.prep}}", "`${{parent.jobs.prep}}` does not name an output of a step", 1),
        ("${{parent.jobs.prep.x.y}}", "`${{parent.jobs.prep.x.y}}` does not name an output of a step", 1),
    ],
)
def test_what_cannot_be_read_is_named_with_its_column(text: str, message: str, column: int) -> None:
    """The message names the expression, the column is where it begins."""
    with pytest.raises(BadExpression) as caught:
        parse_template(text)

    assert (caught.value.message, caught.value.column) == (message, column)


def test_the_legacy_forms_without_parent_are_read() -> None:
    """`jobs.` can only mean the parent's jobs; `inputs.` stays as it stands, for the place decides."""
    assert whole("${{jobs.prep.outputs.o}}") == Expression(
        "${{jobs.prep.outputs.o}}", "parent.jobs", ("prep", "outputs", "o")
    )
    assert whole("${{inputs.x}}") == Expression("${{inputs.x}}", "inputs", ("x",))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("$${{inputs.x}}", "v"),
        ("pid=$$${{inputs.x}}", "pid=$$v"),
        ("$[[ $${{inputs.x}} ]]", " v "),
        ("$$$[[ --x ${{inputs.x}} ]]", "$$ --x v "),
        ("echo $$ $$HOME $${x}", "echo $$ $$HOME $${x}"),
        ("cost: $5 {{x}} $HOME $(ls) [[ -f x ]]", "cost: $5 {{x}} $HOME $(ls) [[ -f x ]]"),
    ],
)
def test_a_doubled_dollar_is_taken_as_one(text: str, rendered: str) -> None:
    """`$${{x}}` is a common slip; a shell's own `$$` before an expression stays, as does everything of the shell."""
    assert render(parse_template(text), lambda e: "v") == rendered


def test_a_doubled_dollar_before_a_fragment_is_refused() -> None:
    """`$$[[`: nobody is known to mean it, and the dollar that is left would reach the command."""
    with pytest.raises(BadExpression) as caught:
        parse_template("python a.py $$[[ --x ${{inputs.x}} ]]")

    assert (caught.value.message, caught.value.column) == ("`$$[[` has a `$` too many", 13)
