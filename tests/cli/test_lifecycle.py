"""`update`, `archive` and `restore` of assets: what is sent, and what the flags may say."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Penstock
from tests.client.fake_server import FakeServer

HERE = "/api/v1/workspaces/default"
NOUNS = (("environment", "environments"), ("data", "data"), ("model", "models"))


@pytest.mark.parametrize(("noun", "plural"), NOUNS)
def test_an_update_sends_what_its_flags_say(
    penstock: Penstock, fake: FakeServer, noun: str, plural: str
) -> None:
    """Values stay text unless they can only be JSON; the changed record is printed."""
    fake.on("PATCH", f"{HERE}/{plural}/x/versions/3", {"name": "x", "tags": {"a": "1"}})

    ran = penstock(
        f"{noun} update -n x -v 3 --set tags.a=1 description='two words' tags.n=null --set 'tags.\"b.c\"=1.10'"
        " --add tags k=v l=2 --add rows '{\"a\": 1}' text --remove tags.old tags.older --remove rows 0"
        " --query tags.a -o tsv"
    )

    assert (ran.code, ran.out) == (0, "1\n")
    assert fake.asked("PATCH", f"{HERE}/{plural}/x/versions/3")[-1].json == {
        "set": {"tags.a": "1", "description": "two words", "tags.n": None, 'tags."b.c"': "1.10"},
        "add": [
            {"path": "tags", "value": {"k": "v", "l": "2"}},
            {"path": "rows", "value": {"a": 1}},
            {"path": "rows", "value": "text"},
        ],
        "remove": ["tags.old", "tags.older", "rows[0]"],
    }


def test_force_string_keeps_text(penstock: Penstock, fake: FakeServer) -> None:
    """What reads as JSON stays as it was typed."""
    fake.on("PATCH", f"{HERE}/data/x/versions/1", {"name": "x"})

    penstock("data update -n x -v 1 --set description=null 'tags.a={}' --force-string")

    assert fake.asked("PATCH", f"{HERE}/data/x/versions/1")[-1].json["set"] == {
        "description": "null",
        "tags.a": "{}",
    }


def test_an_update_by_label_asks_for_the_version_first(penstock: Penstock, fake: FakeServer) -> None:
    """The version that is changed is a fixed one."""
    fake.on("GET", f"{HERE}/data/x/labels/latest", {"name": "x", "version": "7"})
    fake.on("PATCH", f"{HERE}/data/x/versions/7", {"name": "x", "version": "7"})

    ran = penstock("data update -n x -l latest --set tags.a=b --query version -o tsv")

    assert (ran.code, ran.out) == (0, "7\n")


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ("-v 1", 2, "nothing to update"),
        ("--set tags.a=b", 1, "must provide either --version or --label"),
        ("-v 1 -l latest --set tags.a=b", 1, "cannot provide both --version and --label"),
        ("-v 1 --set tags.a", 2, "it has no `=`"),
        ("-v 1 --add tags", 2, "followed by nothing to add"),
        ("-v 1 --remove", 2, "--remove"),
    ],
)
def test_an_update_that_cannot_be_understood(
    penstock: Penstock, fake: FakeServer, flags: str, code: int, message: str
) -> None:
    """Nothing is asked of the server."""
    ran = penstock(f"data update -n x {flags}")

    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err
    assert fake.asked("PATCH", f"{HERE}/data/x/versions/1") == []


@pytest.mark.parametrize(("noun", "plural"), NOUNS)
@pytest.mark.parametrize("verb", ["archive", "restore"])
@pytest.mark.parametrize(
    ("flags", "sent"), [("", {}), ("--version 3", {"version": "3"}), ("-l latest", {"label": "latest"})]
)
def test_archive_and_restore_print_nothing(
    penstock: Penstock, fake: FakeServer, noun: str, plural: str, verb: str, flags: str, sent: dict[str, Any]
) -> None:
    """One version, or the name with all of them."""
    fake.on("POST", f"{HERE}/{plural}/x/{verb}", None, 204)

    ran = penstock(f"{noun} {verb} --name x {flags}")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert fake.asked("POST", f"{HERE}/{plural}/x/{verb}")[-1].json == sent


def test_archiving_takes_a_version_or_a_label(penstock: Penstock, fake: FakeServer) -> None:
    """Not both; and what is absent is exit code 3 with the nearest name."""
    both = penstock("model archive -n x -v 1 -l latest")
    absent = {"code": "ResourceNotFound", "message": "model `tax` was not found", "details": [], "hint": None}
    fake.on("POST", f"{HERE}/models/tax/archive", absent, 404)
    fake.on("GET", f"{HERE}/models", [{"name": "taxi"}])

    missing = penstock("model archive -n tax")

    assert both.code == 1
    assert "cannot provide both --version and --label" in both.err
    assert missing.code == 3
    assert "taxi" in missing.err


@pytest.mark.parametrize(("noun", "plural"), NOUNS)
def test_a_list_sends_its_filters(penstock: Penstock, fake: FakeServer, noun: str, plural: str) -> None:
    """Edge case 16.2: an empty list is `[]` and no failure."""
    fake.on("GET", f"{HERE}/{plural}", [])

    ran = penstock(f"{noun} list -n x --archived-only --tag team=a -r 3")

    assert (ran.code, json.loads(ran.out)) == (0, [])
    query = fake.asked("GET", f"{HERE}/{plural}")[-1].query
    assert query == {"name": ["x"], "archived_only": ["true"], "tag": ["team=a"], "max_results": ["3"]}
    refused = penstock(f"{noun} list --archived-only --include-archived")
    assert refused.code == 1
    assert "exclude each other" in refused.err


def test_a_model_is_downloaded_into_a_folder_of_its_name(
    penstock: Penstock, fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there is overwritten; stdout stays empty."""
    monkeypatch.chdir(tmp_path)
    files = [{"path": "MLmodel", "size": 2}, {"path": "data/model.skops", "size": 3}]
    fake.on("GET", f"{HERE}/models/taxi/labels/latest", {"name": "taxi", "version": "3"})
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files", {"files": files})
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files/MLmodel", b"hi")
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files/data/model.skops", b"new")
    (tmp_path / "out" / "taxi" / "data").mkdir(parents=True)
    (tmp_path / "out" / "taxi" / "data" / "model.skops").write_text("old and long")

    ran = penstock("model download -n taxi -l latest -p out")

    assert (ran.code, ran.out) == (0, "")
    assert "downloaded 2 files of model `taxi` to out/taxi" in ran.err
    assert (tmp_path / "out" / "taxi" / "data" / "model.skops").read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "out" / "taxi").iterdir()) == ["MLmodel", "data"]


def test_half_a_model_is_none(
    penstock: Penstock, fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that arrives cut off leaves what was there as it was."""
    monkeypatch.chdir(tmp_path)
    files = [{"path": "a", "size": 2}, {"path": "b", "size": 9}]
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files", {"files": files})
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files/a", b"hi")
    fake.on("GET", f"{HERE}/models/taxi/versions/3/files/b", b"half")
    (tmp_path / "taxi").mkdir()
    (tmp_path / "taxi" / "a").write_text("old")

    ran = penstock("model download -n taxi -v 3")

    assert ran.code == 1
    assert "4 of 9 bytes" in ran.err
    assert [(path.name, path.read_text()) for path in (tmp_path / "taxi").iterdir()] == [("a", "old")]
    assert penstock("model download -n taxi").code == 1
    assert "leads out of" in penstock("model download -n .. -v 3").err
