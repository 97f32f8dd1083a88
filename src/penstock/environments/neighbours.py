"""What a release breaks on although its metadata does not say so, and the MLflow that refuses scikit-learn forests.

A file that pins `scikit-learn=1.0` and leaves numpy open meant the numpy of that day. Its metadata allows today's,
and the import fails. Each rule names the neighbour's first version that breaks; a pin in the file always wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

MLFLOW_NAMES = ("mlflow", "mlflow-skinny")
MLFLOW_THAT_REFUSES_FORESTS = "3.14"
"""From here on `mlflow.sklearn.log_model` writes skops files, which refuse a forest's types unless each is trusted."""


@dataclass(frozen=True)
class Rule:
    """`package` in any of `versions` does not work with `neighbour` unless that is `limit`."""

    package: str
    versions: str
    neighbour: str
    limit: str


def _rules(text: str) -> tuple[Rule, ...]:
    return tuple(Rule(*line.split()) for line in text.strip().splitlines())


RULES: Sequence[Rule] = _rules("""
    scikit-learn   <1.4.2    numpy          <2
    scikit-learn   <1.0      numpy          <1.24
    pandas         <2.2.2    numpy          <2
    pandas         <1.3      numpy          <1.24
    scipy          <1.13     numpy          <2
    matplotlib     <3.8.4    numpy          <2
    statsmodels    <0.14.2   numpy          <2
    statsmodels    <0.14.5   scipy          <1.16
    shap           <0.46     numpy          <2
    shap           <0.42     numpy          <1.24
    pyarrow        <16       numpy          <2
    torch          <2.3      numpy          <2
    tensorflow     <2.18     numpy          <2
    tensorflow     <2.12     numpy          <1.24
    tensorflow     <2.12     protobuf       <3.21
    onnx           <1.16     numpy          <2
    opencv-python            <4.10  numpy   <2
    opencv-python-headless   <4.10  numpy   <2
    catboost       <1.2.7    numpy          <2
    h5py           <3.11     numpy          <2
    mlflow         <2.19     sqlalchemy     <2.1
    mlflow         <2        sqlalchemy     <2
    flask          <2.3      werkzeug       <3
    flask          <2        werkzeug       <2.1
    flask          <2        jinja2         <3.1
    flask          <2        itsdangerous   <2.1
    jinja2         <3        markupsafe     <2.1
    numba          <0.60     numpy          <2
""")

# `package` is not imported, or not built, by a Python from `since` on, unless it is `limit`. No metadata says so.
_BROKEN_BY_PYTHON: Sequence[tuple[str, tuple[int, int], str]] = (
    ("wrapt", (3, 11), ">=1.14"),  # inspect.formatargspec is gone
    ("pyyaml", (3, 10), ">=5.4"),  # collections.Hashable
    ("jinja2", (3, 10), ">=2.11.3"),  # collections.Mapping
    ("networkx", (3, 9), ">=2.5"),  # fractions.gcd
    ("markdown", (3, 9), ">=3.2"),  # getchildren() of an element
    ("future", (3, 12), ">=1"),  # the module imp
)


def limits_of_python(minor: tuple[int, int]) -> list[str]:
    """Constraints that keep releases out which this Python does not run, whatever their metadata says."""
    return [f"{name}{limit}" for name, since, limit in _BROKEN_BY_PYTHON if minor >= since]


# Both bring the package `mlflow`, and older ones do not ask for one version: the files of the last installed would win.
_TWINS = (("mlflow", "mlflow-skinny"),)


def neighbours_that_break(lock: Mapping[str, str], pinned: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules that a resolved set (name → version) offends, where the neighbour is not `pinned` by the file."""
    offended = [
        rule
        for rule in RULES
        if rule.neighbour not in pinned
        and _is(lock, rule.package, rule.versions)
        and rule.neighbour in lock
        and not _is(lock, rule.neighbour, rule.limit)
    ]
    return (*offended, *_unequal_twins(lock, pinned))


def are_twins(one: str, other: str) -> bool:
    """Two names for the same files."""
    return any({one, other} == set(twins) for twins in _TWINS)


def _unequal_twins(lock: Mapping[str, str], pinned: Mapping[str, object]) -> list[Rule]:
    rules = []
    for twins in _TWINS:
        for one, other in (twins, twins[::-1]):
            if one in lock and other in lock and lock[one] != lock[other] and other not in pinned:
                rules.append(Rule(one, f"=={lock[one]}", other, f"=={lock[one]}"))
                break
    return rules


def _is(lock: Mapping[str, str], name: str, versions: str) -> bool:
    return name in lock and SpecifierSet(versions).contains(Version(lock[name]), prereleases=True)
