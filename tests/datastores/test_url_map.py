"""A person's map from addresses to local files: what counts, what is refused, what never leaves its folder."""

from pathlib import Path

import pytest

from penstock.datastores.url_map import UrlMap, address_of, read_url_map, shown
from penstock.errors import PenstockError


def a_map(folder: Path, text: str) -> UrlMap:
    (folder / "urls.yml").write_text(text)
    return read_url_map(str(folder / "urls.yml"))


def test_the_longest_address_counts(tmp_path: Path) -> None:
    """Whatever the order of the file. Paths start from the file's folder."""
    urls = a_map(
        tmp_path,
        """
        https://example.com/: all
        https://example.com/data/big/: /mnt/big
        https://example.com/data/: data/
        https://example.com/data/one.csv: elsewhere/1.csv
        """,
    )

    def place(url: str) -> tuple[str, str] | None:
        found = urls.find(url)
        return (str(found.root), found.inside) if found else None

    assert place("https://example.com/data/x/y.csv") == (str(tmp_path / "data"), "x/y.csv")
    assert place("https://example.com/data/big/z") == ("/mnt/big", "z")
    assert place("https://example.com/data/one.csv") == (str(tmp_path / "elsewhere/1.csv"), "")
    assert place("https://EXAMPLE.com:443/other?a=b") == (str(tmp_path / "all"), "other")
    assert place("http://example.com/data/x") is None
    assert place("https://example.org/data/x") is None


def test_an_address_ends_at_a_slash(tmp_path: Path) -> None:
    """`/data` is not the beginning of `/database`."""
    urls = a_map(tmp_path, "https://example.com/data: data")

    assert urls.find("https://example.com/database.csv") is None
    assert urls.find("https://example.com/data") is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://acct.blob.core.windows.net/cont/a/b.csv",
        "wasbs://cont@acct.blob.core.windows.net/a/b.csv",
        "wasb://cont@acct.blob.core.windows.net/a//b.csv",
        "abfss://cont@acct.dfs.core.windows.net/a/b.csv",
        "https://acct.dfs.core.windows.net/cont/a/b.csv?sv=1&sig=x",
    ],
)
def test_the_ways_to_write_one_place_of_azure_are_one_address(tmp_path: Path, url: str) -> None:
    """On both sides of the map."""
    for key in ("wasbs://cont@acct.blob.core.windows.net/a/", "https://acct.blob.core.windows.net/cont/a"):
        found = a_map(tmp_path, f"{key}: data").find(url)

        assert found is not None
        assert (found.root, found.inside) == (tmp_path / "data", "b.csv")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- a\n", 1, "no mapping"),
        ("\nhttps://a.b/: 3\n", 2, "has no local path"),
        ("https://a.b/: x\nnothing: y\n", 2, "`nothing` is not an address"),
        ("https://a.b/: https://c.d/\n", 1, "is mapped to another address"),
        ("azureml://datastores/x/paths/: y\n", 1, "is not an address"),
        ("https://a.b/../c: y\n", 1, "is not an address"),
        ("https://a.b/: x\nhttps://a.b/: y\n", 2, "is given twice"),
        ("a: [\n", 2, ""),
    ],
)
def test_a_mistake_in_a_map_is_told_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    """File, line, and what to write."""
    with pytest.raises(PenstockError, match="the map of addresses cannot be read") as refusal:
        a_map(tmp_path, text)

    told = f"{refusal.value.message} {refusal.value.details}"
    assert f"{tmp_path / 'urls.yml'}:{line}" in told
    assert said in told


def test_a_mapped_place_is_never_left(tmp_path: Path) -> None:
    """Neither by `..` in the address, encoded or not, nor through a link."""
    (tmp_path / "data").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "data" / "link").symlink_to(tmp_path)
    urls = a_map(tmp_path, "https://example.com/: data/\nhttps://gone.com/: nowhere/")

    for url in (
        "https://example.com/../secret",
        "https://example.com/%2e%2e/secret",
        "https://example.com/a%2F..%2F..%2Fsecret",
    ):
        assert address_of(url) is None or urls.find(url) is None
    for url, said in (
        ("https://example.com/link/secret", "leads out of"),
        ("https://example.com/absent", "nothing is there"),
        ("https://gone.com/x", "nothing is there"),
    ):
        found = urls.find(url)
        assert found is not None
        with pytest.raises(PenstockError, match=said):
            found.existing(url)


def test_an_address_with_a_query_stands_for_itself_alone(tmp_path: Path) -> None:
    """And counts before the same one without."""
    urls = a_map(tmp_path, '"https://example.com/get?id=7": seven.csv\nhttps://example.com/get: any.csv')

    found = [urls.find(f"https://example.com/get{query}") for query in ("?id=7", "?id=8", "")]

    assert [each.root.name for each in found if each] == ["seven.csv", "any.csv", "any.csv"]


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    """Queries may be signatures."""
    assert shown("https://user:pass@a.b/c?sig=x") == "https://a.b/c?…"
