"""What makes two environments the same one."""

from pathlib import Path
from typing import Any

from penstock.resources.reading import read_document
from tests.server.conftest import Api


def created(api: Api, file: Path, text: str) -> Any:
    """The environment of a file, as the command line would send it."""
    file.write_text(text, encoding="utf-8")
    document = read_document(file, "environment")
    assert not document.problems
    return api.post("workspaces/default/environments", document=document.data)["record"]


def test_a_conda_file_is_the_same_beside_the_environment_and_inside_it(api: Api, tmp_path: Path) -> None:
    """Edge case 2.1: neither comments nor the order of keys nor where it stands make a new version; a package does."""
    (tmp_path / "conda.yml").write_text("# ours\ndependencies: [python=3.11, {pip: [pandas]}]\nname: e\n")
    inside = "name: e\nimage: x\nconda_file:\n  name: e\n  dependencies: [python=3.11, {pip: [%s]}]\n"

    beside = created(api, tmp_path / "a.yml", "name: e\nimage: x\nconda_file: conda.yml\n")
    same = created(api, tmp_path / "b.yml", inside % "pandas")
    other = created(api, tmp_path / "c.yml", inside % "polars")

    assert [made["version"] for made in (beside, same, other)] == ["1", "1", "2"]
