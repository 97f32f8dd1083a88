"""Defaults that are kept."""

import json

from penstock.settings import Home
from tests.cli.conftest import Penstock


def test_defaults_are_kept_listed_and_removed(penstock: Penstock, home: Home) -> None:
    """As `az configure` does: an empty value removes one."""
    assert penstock("configure --defaults group=g workspace=w location=l").out == ""
    assert penstock("configure --defaults location='' group=h").code == 0

    listed = json.loads(penstock("configure --list-defaults").out)

    assert [(row["name"], row["value"]) for row in listed] == [("group", "h"), ("workspace", "w")]
    assert listed[0]["source"] == str(home.config)


def test_the_default_output_counts_where_none_is_given(penstock: Penstock) -> None:
    """-o comes first."""
    penstock("configure -d output=tsv")

    assert penstock("version --query penstock").out[0] != '"'
    assert penstock("version --query penstock -o json").out[0] == '"'


def test_what_makes_no_sense_is_refused(penstock: Penstock) -> None:
    """And nothing is kept."""
    assert penstock("configure").code == 2
    assert penstock("configure --defaults workspace").code == 2
    assert penstock("configure --defaults output=xml").code == 2
    assert penstock("configure --defaults workspace=x --scope local").code == 1
    assert penstock("configure -l").out == "[]\n"


def test_an_unknown_default_is_kept_with_a_word_about_it(penstock: Penstock) -> None:
    """Scripts for the cloud set others too."""
    ran = penstock("configure --defaults worksapce=x feature-store=f")

    assert ran.code == 0
    assert "did you mean `workspace`?" in ran.err
    assert "`feature-store` is kept" in ran.err
