"""What relaxing sees in a line of the file: its package, how near other releases are, how much its pin matters."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.environments.azure_only import stands_here_instead
from penstock.environments.conda_file import Wanted
from penstock.environments.explanations import in_short
from penstock.environments.interpreters import Interpreter
from penstock.environments.pinned_lines import Line, line_of
from penstock.environments.python_choice import Chosen, PythonWish, by_nearness, choose_python


def line(text: str, pointer: str = "/conda_file/dependencies/1/pip/0") -> Line:
    """A line of a pip section, unless another pointer says otherwise."""
    return line_of(Wanted(text, pointer))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Scikit_Learn==1.0", "scikit-learn"),
        ("git+https://host/team/tool.git@v1.2", "tool"),
        ("git+ssh://git@host/team/tool", "tool"),
        ("git+https://host/team/tool#subdirectory=packages/part", "part"),
        ("https://host/files/thing-1.0-py3-none-any.whl?sig=x", "thing-1.0-py3-none-any.whl"),
        ("tool @ git+https://host/other.git", "tool"),
    ],
)
def test_every_line_has_a_name(text: str, name: str) -> None:
    """Also an address, which has none of its own."""
    assert line(text).name == name


@pytest.mark.parametrize(
    ("text", "base", "is_pin"),
    [
        ("a==1.2", "1.2", True),
        ("a~=1.2", "1.2", True),
        ("a==1.2.*", "1.2", True),
        ("a>=1,<2", "2", True),
        ("a>=3", "3", False),
        ("a!=3", None, False),
        ("a", None, False),
        ("a @ https://host/a.zip", None, False),
    ],
)
def test_other_releases_are_near_to_the_version_that_is_pinned(
    text: str, base: str | None, is_pin: bool
) -> None:
    """Of a range to its upper end: what lies within was looked for already."""
    assert (str(line(text).base) if line(text).base else None) == base
    assert line(text).is_pin is is_pin


def test_what_reads_models_counts_more_than_what_reads_data_and_that_more_than_the_rest() -> None:
    """And what means nothing here counts nothing."""
    texts = ("scikit-learn==1", "numpy==1", "seaborn==1", "azureml-sdk==1", "scikit-learn")

    assert [line(text).weight for text in texts] == [8, 4, 1, 0, 0]
    assert min(texts, key=lambda text: line(text).importance) == "azureml-sdk==1"


def test_a_line_is_shown_as_its_file_has_it() -> None:
    """Conda's `=` as conda's, without credentials."""
    conda = line("numpy==1.21.*", "/conda_file/dependencies/1")

    assert (conda.shown, conda.asked) == ("numpy=1.21", "=1.21")
    assert line("numpy==1.21.*").asked == "==1.21.*"
    assert line("numpy").asked == "any"
    assert "secret" not in line("git+https://me:secret@host/x").shown


def test_a_loosened_line_keeps_extras_and_marker() -> None:
    """They are no part of the version."""
    assert line('a[b,c]==1; python_version < "3.12"').saying(">=1") == 'a[b,c]>=1; python_version < "3.12"'


@pytest.mark.parametrize(
    "name", ["azureml-core", "azureml-train-automl-client", "azureml-pipeline", "azureml-fsspec"]
)
def test_packages_of_azure_alone_are_known_with_what_stands_here(name: str) -> None:
    """So that a row can say it."""
    assert stands_here_instead(name)


@pytest.mark.parametrize(
    "name", ["azureml-mlflow", "azureml-inference-server-http", "mltable", "azure-core", "mlflow"]
)
def test_packages_that_work_without_azure_are_not(name: str) -> None:
    """They are treated as any other."""
    assert stands_here_instead(name) is None


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (
            "No solution found when resolving dependencies\n  cause: Because pyarrow>=0.17.0,<=3.0.0 has no usable wheels and "
            "only the following versions of pyarrow are available:\n   pyarrow<=3.0.0\n   pyarrow>=4.0.0\n  we can conclude that "
            "pyarrow>=0.17.0,<4.0.0 cannot be used.\n  And because runtime==1.38.0 depends on pyarrow>=0.17.0,<4.0.0, we can "
            "conclude that runtime==1.38.0 cannot be used.",
            "runtime 1.38.0 needs pyarrow>=0.17.0,<4.0.0, which has no wheel for this Python",
        ),
        (
            "No solution found when resolving dependencies\n  cause: Because schema==1.3.0 depends on wrapt>=1.11.1,<=1.12.1 and "
            "wrapt>=1.14, we can conclude that schema==1.3.0 cannot be used.\n  And because you require schema==1.3.0, we can "
            "conclude that your requirements are unsatisfiable.",
            "schema 1.3.0 needs wrapt>=1.11.1,<=1.12.1, and only wrapt>=1.14 can be taken here",
        ),
        (
            "No solution found when resolving dependencies\n  cause: Because pyarrow>=0.17.0,<=3.0.0 has no usable wheels and "
            "only the following versions of pyarrow are available:\n   pyarrow<=3.0.0\n   pyarrow>=4.0.0\n  we can conclude that "
            "pyarrow>=0.17.0,<4.0.0 cannot be used.\n  And because you require pyarrow>=0.17.0,<4.0.0, we can conclude that "
            "your requirements are unsatisfiable.",
            "pyarrow>=0.17.0,<4.0.0 has no wheel for this Python",
        ),
        (
            "No solution found when resolving dependencies\n  cause: Because only data-rslex>=1.19.1 is available and "
            "data>=2.15.0,<=2.15.1 depends on data-rslex>=1.13.0.dev0,<1.14.0a0, we can conclude that data>=2.15.0,<=2.15.1 "
            "cannot be used.\n  And because sdk==1.30.0 depends on data>=2.15.0a0,<2.16.0a0 and you require sdk==1.30.0, we can "
            "conclude that your requirements are unsatisfiable.",
            "data>=2.15.0,<=2.15.1 needs data-rslex>=1.13.0,<1.14.0, which no index has",
        ),
        (
            "No solution found when resolving dependencies\n  cause: Because mlflow==2.3.0 depends on pyarrow>=4.0.0,<12 and you "
            "require mlflow==2.3.0, we can conclude that you require pyarrow>=4.0.0,<12.\n  And because you require "
            "pyarrow==17.0.0, we can conclude that your requirements are unsatisfiable.",
            "mlflow 2.3.0 needs pyarrow>=4.0.0,<12",
        ),
        (
            "Failed to build `alpha==1.0`\n  cause: The build backend returned an error\n\n  [stdout]\n"
            + "".join(f"  copying alpha/{n}.py -> build/alpha\n" for n in range(40))
            + "\n  [stderr]\n  error: command 'gcc' failed with exit code 1\n",
            "error: command 'gcc' failed with exit code 1",
        ),
        (
            "Git operation failed\n  cause: failed to clone into: x\n  --- stderr\n  fatal: unable to access "
            "'https://me:secret@host/x/': Could not resolve host: host",
            "fatal: unable to access 'https://***@host/x/': Could not resolve host: host",
        ),
    ],
)
def test_what_the_installer_said_becomes_one_reason(said: str, short: str) -> None:
    """Its derivation has many steps, and most speak of what nobody wrote."""
    assert in_short(said) == short


_MINORS = st.lists(st.tuples(st.integers(7, 14), st.integers(0, 20)), min_size=1, max_size=6, unique=True)


@settings(max_examples=25, deadline=None)
@given(have=_MINORS, asked=st.sampled_from(["", "==3.8.*", "==3.9.4", ">=3.10", "<3.9", "==3.30.*"]))
def test_the_nearest_python_comes_first_and_each_minor_version_once(
    have: list[tuple[int, int]], asked: str
) -> None:
    """The first is what an environment gets where the nearest is allowed."""
    present = [
        Interpreter((3, minor, patch), Path(f"/p/{minor}.{patch}"), "CPython", "linux-x86_64")
        for minor, patch in have
    ]
    wish = PythonWish(asked, "the conda file", "", binding=True)

    ordered = by_nearness(wish, present, (3, 11))
    chosen = choose_python(wish, present, nearest_allowed=True, running=(3, 11))

    assert sorted(one.minor for one in ordered) == sorted({one.minor for one in present})
    assert isinstance(chosen, Chosen)
    assert ordered[0] == chosen.interpreter
