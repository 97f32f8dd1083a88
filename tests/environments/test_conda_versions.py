"""Conda's way of naming versions, said in PyPI's way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from penstock.environments.conda_versions import BadSpec, parse_conda_spec, pep440_of

VERSIONS = {
    "": "",
    "*": "",
    "=*": "",
    "=1.2": "==1.2.*",
    "=1.2.*": "==1.2.*",
    "=1.2*": "==1.2.*",
    "==1.2": "==1.2",
    "==1.2.*": "==1.2.*",
    "1.2": "==1.2",
    "1.2.*": "==1.2.*",
    ">=1.2": ">=1.2",
    ">=1.2,<2": ">=1.2,<2",
    ">=1.2.*": ">=1.2",
    "<2.0a0": "<2.0a0",
    "!=1.2": "!=1.2",
    "!=1.2.*": "!=1.2.*",
    "~=1.2": "~=1.2",
    "~=1": "==1.*",
    "=1.0rc1": "==1.0rc1",
    ">1,!=1.3,<=2": ">1,!=1.3,<=2",
}

SPECS = {
    "numpy": ("numpy", "", None, None),
    "NumPy": ("numpy", "", None, None),
    "python=3.9": ("python", "==3.9.*", None, None),
    "numpy=1.21.*": ("numpy", "==1.21.*", None, None),
    "scikit-learn=1.2=py39_0": ("scikit-learn", "==1.2", "py39_0", None),
    "scikit-learn==1.2=py39_0": ("scikit-learn", "==1.2", "py39_0", None),
    "scikit-learn 1.2 py39_0": ("scikit-learn", "==1.2", "py39_0", None),
    "numpy 1.21.*": ("numpy", "==1.21.*", None, None),
    "numpy >=1.21,<2": ("numpy", ">=1.21,<2", None, None),
    "numpy >= 1.21, <2": ("numpy", ">=1.21,<2", None, None),
    "numpy>=1.21": ("numpy", ">=1.21", None, None),
    "conda-forge::mlflow=2.9": ("mlflow", "==2.9.*", None, "conda-forge"),
    "conda-forge/linux-64::x": ("x", "", None, "conda-forge/linux-64"),
    "numpy[version='>=1.8,<2',build=py39_0]": ("numpy", ">=1.8,<2", "py39_0", None),
    'numpy[version=">=1.8"]': ("numpy", ">=1.8", None, None),
    "ruamel.yaml=0.17": ("ruamel.yaml", "==0.17.*", None, None),
    "python=3.8  # the team's": ("python", "==3.8.*", None, None),
    "_libgcc_mutex=0.1=main": ("_libgcc_mutex", "==0.1", "main", None),
}

NOT_SPECS = (
    "", "=1.2", "numpy=", "numpy==", "numpy>=", "numpy=1.2|=1.3", "numpy 1 2 3", "numpy=>1", "numpy=latest",
    "numpy[sha256=abc]", "a b c d", "numpy>=1.0+cpu", "x[version=1.2",
)  # fmt: skip


@pytest.mark.parametrize(("conda", "pypi"), VERSIONS.items())
def test_a_conda_version_is_said_in_pypis_way(conda: str, pypi: str) -> None:
    """The table above, one row a test."""
    assert pep440_of(conda) == pypi


@pytest.mark.parametrize(("text", "expected"), SPECS.items())
def test_a_conda_dependency_is_read_in_all_its_forms(
    text: str, expected: tuple[str, str, str | None, str | None]
) -> None:
    """Spaces, single and double `=`, builds, channels and brackets."""
    spec = parse_conda_spec(text)

    assert (spec.name, spec.versions, spec.build, spec.channel) == expected


@pytest.mark.parametrize("text", NOT_SPECS)
def test_what_pypi_cannot_say_is_refused(text: str) -> None:
    """Alternatives, unknown keys, missing or strange versions."""
    with pytest.raises(BadSpec):
        parse_conda_spec(text).versions  # noqa: B018  (it raises)


numbers = st.lists(st.integers(0, 40), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(version=numbers, more=st.integers(0, 40))
def test_a_single_equals_sign_matches_every_version_below_it(version: str, more: int) -> None:
    """`=1.2` means 1.2 and 1.2.anything, as conda has it."""
    specifier = SpecifierSet(pep440_of(f"={version}"))

    assert specifier.contains(version)
    assert specifier.contains(f"{version}.{more}")


@given(
    clauses=st.lists(
        st.tuples(
            st.sampled_from(["", "=", "==", "!=", ">=", "<=", ">", "<"]), numbers, st.sampled_from(["", ".*"])
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_list_of_clauses_becomes_a_specifier_that_pypi_understands(
    clauses: list[tuple[str, str, str]],
) -> None:
    """Each clause separately decides as the whole does."""
    text = ",".join("".join(clause) for clause in clauses)

    whole = SpecifierSet(pep440_of(text))

    for probe in ("0.1", "1.2.3", "1.2", "40.40.40"):
        each = all(SpecifierSet(pep440_of("".join(clause))).contains(probe) for clause in clauses)
        assert whole.contains(probe) == each


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another error, and what is read names versions that PyPI understands."""
    try:
        versions = parse_conda_spec(text).versions
    except BadSpec:
        return
    SpecifierSet(versions)


@given(version=numbers)
def test_an_exact_version_matches_itself_and_not_the_next(version: str) -> None:
    """`==1.2` is 1.2 and not 1.2.1."""
    specifier = SpecifierSet(pep440_of(f"=={version}"))

    assert specifier.contains(version)
    assert not specifier.contains(f"{Version(version)}.1")
