"""Ignore files: git's patterns, the last match decides."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from penstock.resources.ignore import IgnoreRules


def left_out(lines: list[str], path: str) -> bool:
    return IgnoreRules.from_lines(lines).leaves_out(path)


@pytest.mark.parametrize(
    ("pattern", "matches", "does_not"),
    [
        ("data", ["data", "data/x", "a/data/x"], ["database", "a/mydata"]),
        ("data/", ["data/x", "a/data/x"], ["data", "a/data"]),
        ("/data", ["data", "data/x"], ["a/data"]),
        ("a/data", ["a/data", "a/data/x"], ["b/a/data"]),
        ("*.csv", ["x.csv", "a/b/x.csv", "dir.csv/x"], ["x.csvx", "x_csv"]),
        ("a/*.csv", ["a/x.csv"], ["a/b/x.csv", "b/a/x.csv"]),
        ("a/**/x", ["a/x", "a/b/x", "a/b/c/x"], ["a/bx", "x"]),
        ("**/x", ["x", "a/b/x"], ["ax"]),
        ("a/**", ["a/x", "a/b/c"], ["a", "b/a/x"]),
        ("file?", ["file1"], ["file", "file/1", "file12"]),
        ("[ab].py", ["a.py", "b.py"], ["c.py", "[ab].py"]),
        ("[!a].py", ["b.py"], ["a.py"]),
        ("[a-c].py", ["b.py"], ["d.py", "-.py"]),
        (r"\#x", ["#x"], ["x"]),
        (r"\!x", ["!x"], ["x"]),
        ("x ", ["x"], ["x "]),
        (r"x\ ", ["x "], ["x"]),
        ("# x", [], ["# x", "x"]),
        ("", [], ["x"]),
        ("/", [], ["x"]),
        ("a[", [], ["a[", "a"]),
        ("*", ["x", "a/b"], []),
        (".*", [".env", "a/.env/x"], ["env"]),
    ],
)
def test_patterns_mean_what_they_mean_to_git(pattern: str, matches: list[str], does_not: list[str]) -> None:
    """The table of git's own manual, and the slips that people make."""
    assert [path for path in matches if not left_out([pattern], path)] == []
    assert [path for path in does_not if left_out([pattern], path)] == []


def test_the_last_pattern_that_matches_decides() -> None:
    """A later `!` brings a file back, also from a folder that is left out; a later pattern takes it again."""
    assert not left_out(["data/", "!data/keep.csv"], "data/keep.csv")
    assert left_out(["data/", "!data/keep.csv"], "data/other.csv")
    assert left_out(["!x", "x"], "x")


def test_amlignore_takes_the_place_of_gitignore(tmp_path: Path) -> None:
    """Edge case 1.3. Never both: an empty .amlignore takes everything in."""
    (tmp_path / ".gitignore").write_text("x\n")
    assert IgnoreRules.of(tmp_path).leaves_out("x")

    (tmp_path / ".amlignore").write_text("y\n")
    assert not IgnoreRules.of(tmp_path).leaves_out("x")
    assert IgnoreRules.of(tmp_path).leaves_out("y")

    (tmp_path / ".amlignore").write_text("")
    assert not IgnoreRules.of(tmp_path).leaves_out("y")


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    """An ignore file saved by a Windows editor means the same."""
    (tmp_path / ".amlignore").write_bytes(b"\xef\xbb\xbfdata\r\n*.csv\r\n")

    assert IgnoreRules.of(tmp_path).leaves_out("data")
    assert IgnoreRules.of(tmp_path).leaves_out("x.csv")


PIECES = [
    "a",
    "b",
    "foo",
    "*",
    "**",
    "?",
    "/",
    "[ab]",
    r"\*",
    " ",
    "!",
    "#",
    ".py",
    "[",
    "]",
    r"\ ",
    ".",
    "-",
]
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
PATHS = st.lists(
    st.sampled_from(["a", "b", "ab", "foo", "x.py", "a b", "*", "!a", "#", ".x"]), min_size=1, max_size=4
)


@pytest.mark.filterwarnings(
    "ignore:Possible (nested set|set difference):FutureWarning"
)  # of the other's regular expressions
@settings(max_examples=500)
@given(st.lists(PATTERNS, min_size=1, max_size=3), PATHS.map("/".join))
def test_patterns_match_as_in_pathspec(lines: list[str], path: str) -> None:
    """The library that Azure ML's own client uses says the same."""
    pathspec = pytest.importorskip("pathspec.patterns.gitignore.spec")  # comes with the tools, not with us
    # pathspec lets `[!x]` match a slash, which git does not.
    assume(not any("[!" in line for line in lines))
    expected = False
    for line in lines:
        try:
            pattern = pathspec.GitIgnoreSpecPattern(line)
        except (pathspec.GitIgnorePatternError, re.error):
            # A lonely `!`, a range such as `[a-[]`: Azure ML's client breaks off, git sees no pattern.
            reject()
        if pattern.include is not None and pattern.match_file(path) is not None:
            expected = pattern.include

    assert left_out(lines, path) == expected


@given(st.lists(PATTERNS, max_size=3), PATHS.map("/".join), st.text("ab./", max_size=6))
def test_what_lies_in_a_pruned_folder_would_have_been_left_out_anyway(
    lines: list[str], folder: str, below: str
) -> None:
    """Not looking into a folder is only a shortcut."""
    rules = IgnoreRules.from_lines(lines)

    if rules.can_prune and rules.leaves_out(folder + "/"):
        assert rules.leaves_out(f"{folder}/x{below}")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_itself_agrees(tmp_path: Path) -> None:
    """For patterns without `!`, `git check-ignore` leaves out the same files."""
    lines = ["/build", "*.py[co]", "data/**/raw", "a/*/c", "[!a]x", "foo/", r"\#h", "tes?", "**/deep/x"]
    paths = [
        "build/x", "a/build", "x.pyc", "x.py", "data/raw", "data/1/2/raw", "a/b/c", "a/c", "bx", "ax", "foo", "b/foo/x",
        "#h", "test", "tes", "1/2/deep/x", "deep/x", "deep/y",
    ]  # fmt: skip
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(lines))

    done = subprocess.run(
        ["git", "-C", tmp_path, "check-ignore", "--no-index", "--stdin"],
        input="\n".join(paths),
        capture_output=True,
        text=True,
    )

    assert [path for path in paths if left_out(lines, path)] == done.stdout.splitlines()
