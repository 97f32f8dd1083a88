"""The lines under `pip:`: installed, handed on, warned about, or refused with the way out."""

import pytest

from penstock.environments.pip_lines import BadLine, PipItem, read_pip_line

REQUIREMENTS = {
    "six": "six",
    " numpy == 1.21.0 ": "numpy == 1.21.0",
    "mlflow[extras]>=2,<3": "mlflow[extras]>=2,<3",
    "pywin32; sys_platform == 'win32'": "pywin32; sys_platform == 'win32'",
    "pandas  # for the tests": "pandas",
    "https://example.com/a-1.0-py3-none-any.whl": "https://example.com/a-1.0-py3-none-any.whl",
    "a @ https://example.com/a.tar.gz": "a @ https://example.com/a.tar.gz",
    "git+https://github.com/a/b@v1": "git+https://github.com/a/b@v1",
    "git+https://github.com/a/b#egg=b": "b @ git+https://github.com/a/b",
    "git+https://github.com/a/b#egg=b&subdirectory=c": "b @ git+https://github.com/a/b#subdirectory=c",
    "-e git+https://github.com/a/b#egg=b": "b @ git+https://github.com/a/b",
}

REFUSED = {
    "-r requirements.txt": "reads another file",
    "--requirement=requirements.txt": "reads another file",
    "-c limits.txt": "reads another file",
    ".": "path on your machine",
    "./package": "path on your machine",
    "../package": "path on your machine",
    "-e .": "path on your machine",
    "/opt/a.whl": "path on your machine",
    "file:///opt/a.whl": "path on your machine",
    "dist/a-1.0-py3-none-any.whl": "path on your machine",
    "a @ file:///opt/a.whl": "path on your machine",
    "--find-links ./wheels": "needs a web address",
    "--index-url": "needs a web address",
    "svn+https://example.com/a": "only git",
    "six==1.0 --hash=sha256:abc": "`--hash` is not supported after",
    "--require-hashes": "not supported",
    "foo>=1.0.*": "no requirement",
    "numpy=1.2": "no requirement",
    "-": "no requirement",
}


@pytest.mark.parametrize(("line", "requirement"), REQUIREMENTS.items())
def test_a_requirement_is_installed_as_it_stands(line: str, requirement: str) -> None:
    """Names, ranges, markers, addresses, git."""
    assert read_pip_line(line).requirement == requirement


@pytest.mark.parametrize(("line", "reason"), REFUSED.items())
def test_what_cannot_be_installed_is_refused_with_a_reason(line: str, reason: str) -> None:
    """Other files, local paths, hashes, broken requirements."""
    with pytest.raises(BadLine, match=reason):
        read_pip_line(line)


@pytest.mark.parametrize("line", ["", "  ", "# a comment"])
def test_an_empty_line_says_nothing(line: str) -> None:
    """As in a requirements file."""
    assert read_pip_line(line) == PipItem()


@pytest.mark.parametrize(
    ("line", "in_file"),
    [
        ("-i https://x.example/simple", "--index-url https://x.example/simple"),
        (
            "--extra-index-url=https://${TOKEN}@x.example/simple",
            "--extra-index-url https://${TOKEN}@x.example/simple",
        ),
        ("-f https://x.example/wheels.html", "--find-links https://x.example/wheels.html"),
        ("--no-binary :all:", "--no-binary :all:"),
        ("--no-index", "--no-index"),
    ],
)
def test_an_option_about_where_packages_come_from_is_handed_on(line: str, in_file: str) -> None:
    """With its long name, as the installer reads it in a file."""
    assert read_pip_line(line).in_file == in_file


def test_credentials_of_a_line_are_not_shown() -> None:
    """Neither in a `repr` nor in a refusal."""
    assert "secret" not in repr(read_pip_line("a @ git+https://user:secret@example.com/a"))
    with pytest.raises(BadLine) as refusal:
        read_pip_line("hg+https://user:secret@example.com/a")
    assert "secret" not in str(refusal.value)
