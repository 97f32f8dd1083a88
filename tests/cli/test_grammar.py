"""How words become values: prefixes, several values, choices, and the nearest flag."""

import pytest

from penstock.cli.flags import pairs_of
from penstock.cli.grammar import Argument, Command, Example, parse, usage, whole_number
from penstock.errors import UsageError

COMMAND = Command(
    name="try",
    summary="Try things.",
    arguments=(
        Argument(("--file", "-f"), "File.", required=True),
        Argument(("--set",), "Set.", takes="values"),
        Argument(("--output-name",), "Output."),
        Argument(("--all-results",), "All.", takes="truth"),
        Argument(("--stream", "-s"), "Stream.", takes="nothing"),
        Argument(("--max-results", "-r"), "Max.", convert=whole_number),
        Argument(("--kind",), "Kind.", choices=("AmlCompute", "local")),
    ),
    examples=(Example("t", "penstock try"),),
    run=lambda invocation: None,
)


def values(line: str) -> dict[str, object]:
    return vars(parse(COMMAND, "penstock try", line.split()))


def test_unambiguous_prefixes_of_long_flags_are_accepted() -> None:
    """`--workspace`, `--f`, `--max`: as scripts for az write them."""
    found = values("--f a.yml --workspace w --max 3 --resource g")

    assert (found["file"], found["workspace_name"], found["max_results"]) == ("a.yml", "w", 3)
    assert found["resource_group"] == "g"


def test_an_ambiguous_prefix_names_the_candidates() -> None:
    """`--out` is --output, and --output-name here."""
    with pytest.raises(UsageError, match=r"ambiguous.*--output-name"):
        values("-f a --out tsv")


def test_global_flags_stand_anywhere() -> None:
    """Before, between and behind the others."""
    found = values("-o tsv -f a.yml --query name --debug -w x -g y --subscription z")

    assert (found["output"], found["query"], found["debug"], found["workspace_name"]) == (
        "tsv",
        "name",
        True,
        "x",
    )


def test_set_takes_several_values_and_may_be_repeated() -> None:
    """`--set a=1 b=2 --set c=3`."""
    assert values("-f a --set a=1 b=2 --set c=-3")["set"] == ["a=1", "b=2", "c=-3"]


@pytest.mark.parametrize(
    ("line", "value"),
    [("", None), ("--all-results", True), ("--all-results true", True), ("--all-results False", False)],
)
def test_a_truth_may_stand_alone(line: str, value: object) -> None:
    """A flag with an optional true or false."""
    assert values(f"-f a {line}")["all_results"] is value


def test_choices_are_matched_without_regard_to_case() -> None:
    """`--type amlcompute` and `--type AmlCompute` are one; so are formats."""
    assert values("-f a --kind amlcompute")["kind"] == "AmlCompute"
    assert values("-f a -o TSV")["output"] == "tsv"


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("", "the following arguments are required: --file/-f", "--help"),
        ("-f a --strem", "unrecognized arguments: --strem", "did you mean `--stream`?"),
        ("-f a --max_results 3", "unrecognized arguments: --max_results 3", "did you mean `--max-results`?"),
        ("-File a", "unrecognized arguments: -File a", "did you mean `--file`?"),
        ("-file a", "unrecognized arguments: a", "did you mean `--file`?"),
        ("-f a stray", "unrecognized arguments: stray", "--help"),
        ("-f a -r three", "not a whole number", "--help"),
        ("-f a --kind lokkal", "did you mean `local`", "--help"),
        ("-f a --all-results maybe", "neither true nor false", "--help"),
        ("-f", "expected one argument", "--help"),
    ],
)
def test_what_cannot_be_understood_is_said_with_the_usage(line: str, message: str, hint: str) -> None:
    """And with the next step."""
    with pytest.raises(UsageError, match=message) as caught:
        values(line)

    assert caught.value.details[-1] == usage(COMMAND, "penstock try")
    assert hint in str(caught.value.hint)


def test_help_needs_nothing_that_is_required() -> None:
    """`--hel` is a prefix of it, too."""
    assert values("--hel")["help"] is True


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        (None, {}),
        (["a=1", "b=2"], {"a": "1", "b": "2"}),
        (["a=1 b=2"], {"a": "1", "b": "2"}),
        (["title=two words", "x="], {"title": "two words", "x": ""}),
        (["a=b=c"], {"a": "b=c"}),
        (["alone"], {"alone": ""}),
    ],
)
def test_tags_are_pairs_however_they_are_quoted(words: list[str] | None, pairs: dict[str, str]) -> None:
    """`--tags a=1 b=2` and `--tags "a=1 b=2"`."""
    assert pairs_of(words) == pairs
