"""Registries from Python."""

from pathlib import Path

from penstock import Client


def test_a_registry_has_the_same_nouns_as_a_workspace(home: Path) -> None:
    """By the same names; what is put into one is in no workspace."""
    with Client(home=home, quiet=True) as client:
        names = [row["name"] for row in client.registries.list()]
        curated = client.in_registry("azureml").environments.list()

        assert names == ["azureml"]
        assert curated[0]["name"] not in [row["name"] for row in client.environments.list()]
