"""What a conda file asks for, said in PyPI's words, and everything wrong with it at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from penstock.environments import conda_names
from penstock.environments.conda_file import CondaFile, read_conda_file

WHERE = "/jobs/train/environment/conda_file"


def read(data: object, *, programs: tuple[str, ...] = ("git",)) -> CondaFile:
    """Read a file on a machine that has these programs."""
    return read_conda_file(data, WHERE, has_program=lambda command: command in programs)


def requirements(file: CondaFile) -> list[str]:
    """The requirements, as text."""
    return [one.requirement for one in file.wanted]


def test_a_typical_file_becomes_a_python_and_requirements() -> None:
    """The shape of most files in public projects."""
    file = read(
        {
            "name": "train-env",
            "channels": ["defaults", "conda-forge"],
            "dependencies": [
                "python=3.9",
                "pip=21.2.4",
                "numpy=1.21.*",
                "conda-forge::matplotlib-base>=3.5",
                "pytorch==1.13.1",
                {"pip": ["mlflow==2.9.2", "azureml-mlflow", "pandas>=1.1,<2.0  # for append"]},
            ],
        }
    )

    assert file.problems == ()
    assert file.warnings == ()
    assert file.python == "==3.9.*"
    assert requirements(file) == [
        "pip==21.2.4.*", "numpy==1.21.*", "matplotlib>=3.5", "torch==1.13.1", "mlflow==2.9.2", "azureml-mlflow",
        "pandas>=1.1,<2.0",
    ]  # fmt: skip


def test_every_requirement_knows_the_line_that_asks_for_it() -> None:
    """So that a conflict found much later still names lines."""
    file = read({"dependencies": ["python=3.9", "numpy", {"pip": ["six"]}]})

    assert [one.pointer for one in file.wanted] == [
        f"{WHERE}/dependencies/1",
        f"{WHERE}/dependencies/2/pip/0",
    ]
    assert file.python_pointer == f"{WHERE}/dependencies/0"


def test_an_unknown_conda_package_names_its_line_the_nearest_names_and_the_way_out() -> None:
    """The issue's own words: an unmapped one is an error naming the line."""
    file = read({"dependencies": ["python=3.9", "numpy", "pip", "scikit-lern=1.2"]})

    [problem] = file.problems
    assert problem.pointer == f"{WHERE}/dependencies/3"
    assert "`scikit-lern`" in problem.message
    assert problem.hint is not None
    assert "`scikit-learn`" in problem.hint
    assert "under `pip:`" in problem.hint
    assert problem.code == "not_found"


def test_all_problems_of_a_file_come_at_once() -> None:
    """One look at the errors, one round of mending."""
    file = read(
        {
            "channel": [],
            "channels": 7,
            "dependencies": [
                "numpy=",
                3,
                {"python": 3.9},
                "no-such-thing",
                {"pip": ["-r other.txt", "a b", 4]},
                {"pip": "six"},
            ],
        }
    )

    assert [problem.pointer.removeprefix(WHERE) for problem in file.problems] == [
        "/channel",
        "/channels",
        "/dependencies/0",
        "/dependencies/1",
        "/dependencies/2",
        "/dependencies/3",
        "/dependencies/4/pip/0",
        "/dependencies/4/pip/1",
        "/dependencies/4/pip/2",
        "/dependencies/5/pip",
    ]


@pytest.mark.parametrize("data", [None, [], "numpy", 3])
def test_a_conda_file_is_a_mapping(data: object) -> None:
    """Anything else is one problem at the file itself."""
    assert [problem.pointer for problem in read(data).problems] == [WHERE]


def test_a_file_without_dependencies_is_a_mistake() -> None:
    """An empty list is none: somebody wrote it."""
    assert [problem.code for problem in read({"name": "x"}).problems] == ["missing"]
    assert read({"dependencies": []}).problems == ()
    assert read({"dependencies": None}).problems == ()


def test_a_colon_where_an_equals_sign_belongs_is_explained() -> None:
    """`- python: 3.9` is a mapping in YAML."""
    [problem] = read({"dependencies": [{"python": 3.9}]}).problems

    assert problem.hint == "write `- python=3.9`"


def test_cuda_is_left_out_with_a_word() -> None:
    """PyPI's wheels bring it; whoever pinned a version should hear that."""
    file = read({"dependencies": ["cudatoolkit=11.3"]})

    assert file.problems == ()
    assert requirements(file) == []
    assert "`cudatoolkit` is left out" in file.warnings[0]


def test_a_program_is_taken_from_the_machine_or_is_a_problem() -> None:
    """`git` in a conda file means that the code calls it."""
    file = read({"dependencies": ["git", "graphviz"]}, programs=("git",))

    assert "machine's own `git`" in file.warnings[0]
    [problem] = file.problems
    assert problem.pointer == f"{WHERE}/dependencies/1"
    assert "`dot`" in problem.message


def test_a_private_channel_is_named_in_a_warning() -> None:
    """Public ones are not: their packages are on PyPI too."""
    file = read(
        {"channels": ["https://user:secret@conda.example.com/team", "conda-forge"], "dependencies": []}
    )

    [warning] = file.warnings
    assert "conda.example.com" in warning
    assert "secret" not in warning


@pytest.mark.parametrize("line", ["-r https://{}/x.txt", "svn+https://{}/x", "--proxy https://{}"])
def test_a_line_that_is_refused_is_named_without_its_credentials(line: str) -> None:
    """A problem is printed, and logged."""
    file = read({"dependencies": [{"pip": [line.format("me:secret@example.com")]}]})

    assert file.problems
    assert "secret" not in repr(file.problems)


def test_variables_of_a_conda_file_are_named_in_a_warning() -> None:
    """conda would set them on activation."""
    assert "environment_variables" in read({"variables": {"A": 1}, "dependencies": []}).warnings[0]


def test_an_exported_environment_is_read_without_its_native_libraries() -> None:
    """`conda env export` lists everything down to the C library."""
    file = read(
        {
            "dependencies": [
                "_libgcc_mutex=0.1=main", "ca-certificates=2022.4.26=h06a4308_0", "libffi=3.3=he6710b0_2",
                "ld_impl_linux-64=2.35=h7274673_9", "openssl=1.1.1o=h7f8727e_0", "python=3.9.12=h12debd9_0",
                "numpy=1.21.5=py39he7a7128_2", "xz=5.2.5=h7f8727e_1",
            ],
            "prefix": "/opt/conda/envs/x",
        }
    )  # fmt: skip

    assert file.problems == ()
    assert file.python == "==3.9.12"
    assert requirements(file) == ["numpy==1.21.5"]
    assert [warning for warning in file.warnings if "libffi" not in warning] == []


def test_the_options_of_pip_reach_the_installer() -> None:
    """Lines of a requirements file that are no requirement."""
    file = read(
        {
            "dependencies": [
                {
                    "pip": [
                        "--extra-index-url https://x.example/simple",
                        "--pre",
                        "--no-cache-dir",
                        "--trusted-host x.example",
                    ]
                }
            ]
        }
    )

    assert file.problems == ()
    assert file.option_lines == ("--extra-index-url https://x.example/simple",)
    assert file.arguments == ("--prerelease", "allow", "--allow-insecure-host", "x.example")
    assert "`--no-cache-dir` has no effect here" in file.warnings[0]


NAMES = {
    "pytorch": "torch",
    "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
    "lightgbm": "lightgbm",
    "scikit-learn": "scikit-learn",
    "tensorflow": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "msgpack-python": "msgpack",
    "pytables": "tables",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "psycopg2": "psycopg2-binary",
    "ruamel_yaml": "ruamel.yaml",
    "typing_extensions": "typing-extensions",
    "dask-core": "dask",
    "python-graphviz": "graphviz",
    "PyYAML": "pyyaml",
    "ray-default": "ray[default]",
}


@pytest.mark.parametrize(("conda", "pypi"), NAMES.items())
def test_a_conda_name_means_this_package_on_pypi(conda: str, pypi: str) -> None:
    """The ones that projects use most."""
    assert conda_names.meaning_of(conda) == conda_names.OnPyPI(pypi)


@pytest.mark.parametrize("name", ["nomkl", "openssl", "ca-certificates", "_openmp_mutex", "mkl", "sqlite"])
def test_what_only_conda_needs_is_left_out_without_a_word(name: str) -> None:
    """Nobody could miss it."""
    assert conda_names.meaning_of(name) == conda_names.LeftOut(None)


@pytest.mark.parametrize("name", ["cudatoolkit", "cpuonly", "pytorch-cuda", "conda", "libboost"])
def test_what_somebody_might_miss_is_left_out_with_a_word(name: str) -> None:
    """It becomes a warning."""
    meaning = conda_names.meaning_of(name)

    assert isinstance(meaning, conda_names.LeftOut)
    assert meaning.because


def test_the_table_of_renamed_packages_is_large_and_never_contradicts_the_others() -> None:
    """A name means one thing, and its PyPI name is one that pip takes."""
    renamed, same = conda_names._RENAMED, conda_names._SAME

    assert len(renamed) + len(same) > 400
    assert len(renamed) >= 60
    kinds = [
        set(renamed),
        set(same),
        set(conda_names._WITH_A_WORD),
        set(conda_names._PROGRAMS),
        set(conda_names._SILENT),
    ]
    assert sum(map(len, kinds)) == len(set().union(*kinds))
    for conda, pypi in renamed.items():
        assert canonicalize_name(Requirement(pypi).name) != conda or "[" in pypi, conda


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    dependencies=st.lists(anything | st.fixed_dictionaries({"pip": anything}), max_size=5), channels=anything
)
def test_whatever_a_file_says_is_read_or_becomes_problems_inside_of_it(
    dependencies: list[object], channels: object
) -> None:
    """Nothing is raised, and each problem points into the file."""
    file = read({"dependencies": dependencies, "channels": channels})

    assert all(problem.pointer.startswith(f"{WHERE}/") for problem in file.problems)
    assert all(one.requirement.strip() for one in file.wanted)
