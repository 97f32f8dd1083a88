"""What differs between two jobs, from facts that are written down here."""

from dataclasses import replace
from math import nan

from penstock.jobs.differences import Facts, differences

TEXTS = {"1": "a = 1\nb = 2\n", "2": "a = 1\nb = 3\n", "9": None}
FACTS = Facts(
    values={"command": "python train.py", "status": "Completed"},
    groups={"inputs": {"rate": "0.1"}, "metrics": {"auc": 0.75, "loss": nan}},
    code={"train.py": "1", "data.bin": "8"},
    packages={"numpy": "1.26.4"},
)


def between(a: Facts, b: Facts) -> object:
    """The differences of the one step that both have."""
    return differences({"train": a}, {"train": b}, TEXTS.get).get("train", {})


def test_equal_jobs_differ_in_nothing() -> None:
    """A metric that is NaN in both has not changed either."""
    assert differences({"train": FACTS}, {"train": FACTS}, TEXTS.get) == {}


def test_a_changed_value_is_told_from_both_sides() -> None:
    """Also one that only one side has."""
    other = replace(FACTS, values={"command": "python train.py -v", "status": "Completed", "compute": "big"})

    assert between(FACTS, other) == {
        "command": {"a": "python train.py", "b": "python train.py -v"},
        "compute": {"a": None, "b": "big"},
    }


def test_a_metric_says_by_how_much_it_changed() -> None:
    """`change` is b minus a."""
    other = replace(FACTS, groups={"inputs": {"rate": "0.1"}, "metrics": {"auc": 1.0, "loss": nan}})

    assert between(FACTS, other) == {"metrics": {"auc": {"a": 0.75, "b": 1.0, "change": 0.25}}}


def test_code_says_which_files_and_of_texts_which_lines() -> None:
    """A file without text is named, and no more."""
    other = replace(FACTS, code={"train.py": "2", "data.bin": "9", "new.py": "1"})

    assert between(FACTS, other) == {
        "code": {
            "added": ["new.py"],
            "removed": [],
            "changed": ["data.bin", "train.py"],
            "diff": {
                "train.py": [
                    "--- a/train.py",
                    "+++ b/train.py",
                    "@@ -1,2 +1,2 @@",
                    " a = 1",
                    "-b = 2",
                    "+b = 3",
                ]
            },
        }
    }


def test_a_long_difference_is_cut_and_says_so() -> None:
    """Somebody's generated file does not drown the rest."""
    texts = {"1": "x\n" * 2000, "2": "y\n" * 2000}
    found = differences({"": Facts(code={"f": "1"})}, {"": Facts(code={"f": "2"})}, texts.get)

    lines = found[""]["code"]["diff"]["f"]
    assert (len(lines), lines[-1]) == (501, "… 3503 more lines")


def test_packages_are_compared_by_version() -> None:
    """Two environments of one name can hold different packages."""
    other = replace(FACTS, packages={"numpy": "2.1.0", "scipy": "1.14.0"})

    assert between(FACTS, other) == {
        "packages": {"numpy": {"a": "1.26.4", "b": "2.1.0"}, "scipy": {"a": None, "b": "1.14.0"}}
    }


def test_a_step_that_one_job_lacks_is_named() -> None:
    """Steps are paired by their key."""
    assert differences({"": FACTS, "prep": FACTS}, {"": FACTS}, TEXTS.get) == {"prep": {"only_in": "a"}}
