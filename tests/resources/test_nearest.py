"""Suggestions for mistyped names."""

import pytest

from penstock.resources.nearest import did_you_mean, nearest, nearest_few, nearest_file

FIELDS = ("environment", "experiment_name", "inputs", "outputs", "command")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("environmnt", "environment"),
        ("Inputs", "inputs"),
        ("experiment-name", "experiment_name"),
        ("commandd", "command"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_found_whatever_its_case_and_dashes(word: str, meant: str | None) -> None:
    """A letter off, another case or a dash for an underscore still finds the name; nothing near is None."""
    assert nearest(word, FIELDS) == meant


def test_the_likeliest_name_comes_first() -> None:
    """Of several near names the nearest leads."""
    assert nearest_few("train-env", ["train-envs", "training-env", "x"]) == ("train-envs", "training-env")


def test_a_hint_is_a_question_or_nothing() -> None:
    """The hint can be printed as it is."""
    assert did_you_mean("inptus", FIELDS) == "did you mean `inputs`?"
    assert did_you_mean("zzz", FIELDS) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("conda.yaml", "conda.yml"),
        ("tarin.py", "train.py"),
        ("tarin", "train.py"),
        ("tarin.yml", "train.yml"),
        ("env.yml", "environment.yml"),
        ("scr", "src"),
        ("nope.yml", None),
        ("x.yml", None),
    ],
)
def test_a_file_is_near_by_its_name_and_not_by_its_ending(name: str, meant: str | None) -> None:
    """`nope.yml` and `comp.yml` have nothing in common; of two near names the one with the same ending wins."""
    assert (
        nearest_file(name, ("comp.yml", "conda.yml", "environment.yml", "src", "train.py", "train.yml"))
        == meant
    )
