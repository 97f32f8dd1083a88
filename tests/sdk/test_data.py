"""Data from Python: what a version records, and what is in it."""

from pathlib import Path

from penstock import Client, Data


def test_a_profile_of_a_version_and_of_a_file(client: Client, folder: Path) -> None:
    """The same facts, whether it is registered or not."""
    (folder / "rides.csv").write_text("cost,vendor\n1.5,north\n2.5,north\n,south\n", encoding="utf-8")

    made = client.data.create(Data(name="rides", type="uri_file", path="rides.csv"))
    of_version = client.data.profile("rides")
    of_file = client.data.profile(path="rides.csv")

    assert made.record["row_count"] == of_version["row_count"] == 3
    assert of_version["columns"] == of_file["columns"]
    assert of_version["columns"][0]["mean"] == 2.0
