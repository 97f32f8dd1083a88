"""The nearest set that can be installed: which Python, which release, what gives way, and what is said about it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments, Relaxation
from penstock.environments.interpreters import Interpreter
from penstock.errors import EnvironmentCannotBeBuilt
from tests.environments.conftest import make_sdist, make_wheel

Room = Callable[..., Environments]


@pytest.fixture
def links(tmp_path: Path, wheelhouse: Path) -> Path:
    """An index of this test alone, with what every environment has."""
    folder = tmp_path / "links"
    folder.mkdir()
    for wheel in wheelhouse.iterdir():
        if wheel.name.split("-")[0] in ("pip", "setuptools", "wheel"):
            shutil.copy(wheel, folder)
    return folder


@pytest.fixture
def two(present: tuple[Interpreter, ...]) -> tuple[Interpreter, Interpreter]:
    """An older and a newer Python of this machine."""
    by_minor = {one.minor: one for one in present}
    if (3, 11) not in by_minor or (3, 9) not in by_minor:
        pytest.skip("this machine lacks Python 3.9 or 3.11")
    return by_minor[3, 9], by_minor[3, 11]


@pytest.fixture
def room(tmp_path: Path, environ: dict[str, str], links: Path, memory: Path) -> Room:
    """The room over that index, with only the given Pythons, or variables changed."""

    def made(*pythons: Interpreter, **variables: str) -> Environments:
        (tmp_path / "environments").mkdir(exist_ok=True)
        (tmp_path / "environments" / memory.name).write_bytes(memory.read_bytes())
        only = os.pathsep.join(str(one.path) for one in pythons)
        mine = {**environ, "PIP_FIND_LINKS": str(links), "PENSTOCK_PYTHONS": only, **variables}
        return Environments(tmp_path / "environments", environ=mine)

    return made


def asking(*dependencies: object, pip: tuple[str, ...] = (), relax: bool = True) -> EnvironmentRequest:
    """A request with these conda dependencies and pip lines, relaxed unless it says otherwise."""
    conda = {"dependencies": [*dependencies, {"pip": list(pip)}]}
    return EnvironmentRequest("train-env:1", None, conda, "/environment", relax=relax)


def rows(relaxations: tuple[Relaxation, ...]) -> list[tuple[str, str, str | None]]:
    """What differs, without the reasons."""
    return [(one.what, one.asked, one.taken) for one in relaxations]


def test_what_can_be_had_as_it_is_written_is_not_touched(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Being allowed to relax is no reason to."""
    for version in ("1.0", "1.1", "2.0"):
        make_wheel(links, "alpha", version)
    as_written = asking("python=3.9", pip=("alpha~=1.0",), relax=False)

    relaxed = room(*two).resolve(asking("python=3.9", pip=("alpha~=1.0",)))

    assert relaxed.relaxations == ()
    assert relaxed.digest == room(*two).resolve(as_written).digest
    assert "alpha==1.1" in relaxed.lock


def test_the_closest_later_release_with_a_wheel_is_taken(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Not the newest, not an earlier one, and no pre-release on the way."""
    _older, newer = two
    make_wheel(links, "alpha", "1.0", tag="cp39-none-any")
    for version in ("0.9", "1.1rc1", "1.2", "2.0"):
        make_wheel(links, "alpha", version, tag="cp311-none-any")

    relaxed = room(newer).resolve(asking("python=3.9", pip=("alpha==1.0",)))

    assert rows(relaxed.relaxations) == [
        ("python", "3.9", newer.version),
        ("alpha", "==1.0", "1.2"),
    ]
    assert relaxed.relaxations[1].pointer == "/environment/conda_file/dependencies/1/pip/0"
    assert f"no wheel for Python {newer.version}" in relaxed.relaxations[1].why
    assert "alpha==1.2" in relaxed.lock


def test_an_earlier_release_is_taken_where_there_is_no_later_one(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """The newest of them."""
    for version in ("0.8", "0.9"):
        make_wheel(links, "seaborn", version)

    relaxed = room(two[1]).resolve(asking("seaborn=1.0"))

    assert rows(relaxed.relaxations) == [("seaborn", "=1.0", "0.9")]
    assert "there is no such release" in relaxed.relaxations[0].why


def test_the_python_that_keeps_more_pins_is_preferred(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Where the asked one is absent, and also where none is asked for."""
    older, _newer = two
    make_wheel(links, "alpha", "1.0", tag="cp39-none-any")
    make_wheel(links, "alpha", "2.0", tag="cp311-none-any")

    absent = room(*two).resolve(asking("python=3.12", pip=("alpha==1.0",)))
    open_to_all = room(*two).resolve(asking(pip=("alpha==1.0",)))

    assert absent.python_version == open_to_all.python_version == older.version
    assert rows(absent.relaxations) == [("python", "3.12", older.version)]
    assert open_to_all.relaxations == ()


def test_a_pinned_python_that_is_there_counts_more_than_one_pin(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Code was written for it."""
    _older, newer = two
    make_wheel(links, "scikit-learn", "1.0", tag="cp39-none-any")
    make_wheel(links, "scikit-learn", "1.1", tag="cp311-none-any")

    relaxed = room(*two).resolve(asking("python=3.11", "scikit-learn=1.0"))

    assert relaxed.python_version == newer.version
    assert rows(relaxed.relaxations) == [("scikit-learn", "=1.0", "1.1")]


def test_where_pins_contradict_each_other_what_reads_models_stays(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """The other one moves to the closest release that goes with it."""
    make_wheel(links, "numpy", "1.20")
    make_wheel(links, "numpy", "1.21")
    make_wheel(links, "numpy", "1.22")
    make_wheel(links, "scikit-learn", "1.0", requires=("numpy>=1.21",))

    relaxed = room(two[1]).resolve(asking(pip=("numpy==1.20", "scikit-learn==1.0")))

    assert rows(relaxed.relaxations) == [("numpy", "==1.20", "1.21")]
    assert "scikit-learn==1.0" in relaxed.lock


def test_of_earlier_releases_the_newest_that_goes_with_the_rest_is_taken(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Not the newest of all, which nothing here works with; what is left open bounds it as well."""
    for version in ("10.0", "11.0", "12.0", "16.0"):
        make_wheel(links, "pyarrow", version)
    make_wheel(links, "mlflow", "2.3.0", requires=("pyarrow<12",))

    relaxed = room(two[1]).resolve(asking(pip=("mlflow==2.3.0", "pyarrow==17.0")))

    assert rows(relaxed.relaxations) == [("pyarrow", "==17.0", "11.0")]


def test_what_is_left_out_and_comes_along_with_others_is_told_with_its_version(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """A row never says that something is absent which is there."""
    make_wheel(links, "alpha", "1.0", requires=("beta",))
    make_wheel(links, "beta", "2.0rc1")

    relaxed = room(two[1]).resolve(asking(pip=("alpha", "beta @ git+https://127.0.0.1:9/beta.git")))

    assert [(row.what, row.taken) for row in relaxed.relaxations] == [("beta", "2.0rc1")]


def test_neighbours_that_moved_on_are_held_and_shown(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """scikit-learn 1.0 does not start with numpy 2, and does not say so."""
    make_wheel(links, "scikit-learn", "1.0", requires=("numpy",))
    for version in ("1.23.5", "2.1"):
        make_wheel(links, "numpy", version)

    relaxed = room(two[1]).resolve(asking("numpy", pip=("scikit-learn==1.0", "nowhere==1")))

    assert rows(relaxed.relaxations) == [("numpy", "any", "<2"), ("nowhere", "==1", None)]
    assert relaxed.relaxations[0].pointer == "/environment/conda_file/dependencies/0"
    assert "numpy==1.23.5" in relaxed.lock
    assert not any("held" in warning for warning in relaxed.warnings)


def test_azures_own_packages_go_first_where_they_are_in_the_way(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Although loosening the other one would do as well; the row says what stands here instead."""
    make_wheel(links, "pyarrow", "3.0")
    make_wheel(links, "pyarrow", "12.0")
    make_wheel(links, "azureml-sdk", "1.38.0", requires=("pyarrow<4",))

    relaxed = room(two[1]).resolve(asking(pip=("azureml-sdk==1.38.0", "pyarrow==12.0")))

    assert rows(relaxed.relaxations) == [("azureml-sdk", "==1.38.0", None)]
    assert "not needed here" in relaxed.relaxations[0].why
    assert "pyarrow==12.0" in relaxed.lock


def test_what_azures_own_packages_brought_along_stays(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Scripts write Parquet and never name pyarrow; of a package pinned years ago the oldest release that can be had is nearest."""
    make_wheel(links, "pyarrow", "12.0")
    make_wheel(links, "pyarrow", "20.0")
    make_wheel(links, "azureml-sdk", "1.38.0", requires=("pyarrow<4",))

    relaxed = room(two[1]).resolve(asking(pip=("azureml-sdk==1.38.0",)))

    assert rows(relaxed.relaxations) == [
        ("azureml-sdk", "==1.38.0", None),
        ("pyarrow", "any", "12.0"),
    ]
    assert relaxed.relaxations[1].pointer == relaxed.relaxations[0].pointer
    assert "pyarrow==12.0" in relaxed.lock


def test_what_they_brought_along_goes_where_it_does_not_fit(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """It is no line of the file: nothing that is one gives way to it."""
    make_wheel(links, "pyarrow", "12.0", requires=("beta>=2",))
    make_wheel(links, "beta", "1.0")
    make_wheel(links, "beta", "2.0")
    make_wheel(links, "azureml-sdk", "1.38.0", requires=("pyarrow<4",))

    relaxed = room(two[1]).resolve(asking(pip=("azureml-sdk==1.38.0", "beta==1.0")))

    assert rows(relaxed.relaxations) == [("azureml-sdk", "==1.38.0", None)]


def test_azures_own_packages_stay_where_they_can_be_installed(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """A script may import them behind a guard."""
    make_wheel(links, "azureml-sdk", "1.38.0")
    make_wheel(links, "alpha", "2.0")

    relaxed = room(two[1]).resolve(asking(pip=("azureml-sdk==1.38.0", "alpha==1.0")))

    assert rows(relaxed.relaxations) == [("alpha", "==1.0", "2.0")]
    assert "azureml-sdk==1.38.0" in relaxed.lock


def test_an_address_that_cannot_be_fetched_is_left_out_without_its_credentials(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """And the reason is git's own."""
    make_wheel(links, "alpha", "1.0")
    line = "git+https://me:secret@127.0.0.1:9/team/tool.git#subdirectory=packages/tool-box"

    relaxed = room(two[1]).resolve(asking(pip=("alpha==1.0", line)))

    [row] = relaxed.relaxations
    assert (row.what, row.taken) == ("tool-box", None)
    assert "cannot be fetched" in row.why
    assert "secret" not in repr(relaxed)


def test_extras_and_markers_stay_with_a_line_that_is_loosened(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """They are no part of the version."""
    make_wheel(links, "beta", "1.0")
    make_wheel(links, "alpha", "1.5", requires=('beta ; extra == "more"',), extras=("more",))

    relaxed = room(two[1]).resolve(
        asking(pip=('alpha[more]==1.0 ; python_version >= "3.7"', 'alpha==3 ; python_version < "3"'))
    )

    assert rows(relaxed.relaxations) == [("alpha", "==1.0", "1.5")]
    assert "beta==1.0" in relaxed.lock


def test_what_no_index_knows_is_left_out_as_are_conda_packages_without_a_name_on_pypi(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """What cannot be read at all stays an error."""
    make_wheel(links, "alpha", "1.0")

    relaxed = room(two[1]).resolve(asking("no-such-thing=2", pip=("alpha", "nowhere")))
    problems = room(two[1]).check(asking("no-such-thing", pip=("-r x.txt",)))

    assert rows(relaxed.relaxations) == [("no-such-thing", "=2", None), ("nowhere", "any", None)]
    assert [problem.code for problem in problems] == ["unsupported"]


def test_a_withdrawn_release_is_not_a_release_to_move_to(
    room: Room, links: Path, tmp_path: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Pinned exactly it may be had; a range does not find it."""
    simple = tmp_path / "simple" / "alpha"
    simple.mkdir(parents=True)
    anchors = ""
    for version, yanked in (("1.1", ' data-yanked="broken"'), ("1.2", "")):
        wheel = make_wheel(links, "alpha", version)
        anchors += f'<a href="{wheel.as_uri()}"{yanked}>{wheel.name}</a>\n'
    (simple / "index.html").write_text(f"<!DOCTYPE html><html><body>{anchors}</body></html>")
    for name in ("pip", "setuptools", "wheel"):
        listed = "".join(f'<a href="{one.as_uri()}">{one.name}</a>\n' for one in links.glob(f"{name}-*"))
        (tmp_path / "simple" / name).mkdir()
        (tmp_path / "simple" / name / "index.html").write_text(f"<html><body>{listed}</body></html>")
    online = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": (tmp_path / "simple").as_uri()}

    moved = room(two[1], **online).resolve(asking(pip=("alpha==1.0",)))
    [obstacle] = room(two[1], **online).obstacles(asking(pip=("alpha==1.1.*",), relax=False))

    assert rows(moved.relaxations) == [("alpha", "==1.0", "1.2")]
    assert "withdrawn" in obstacle.message


def test_nothing_installable_at_all_is_an_error_that_lists_everything(
    room: Room, two: tuple[Interpreter, Interpreter]
) -> None:
    """An empty environment would be no environment."""
    with pytest.raises(EnvironmentCannotBeBuilt, match="nothing of what it asks for") as refusal:
        room(two[1]).resolve(asking(pip=("nowhere==1", "elsewhere")))

    assert len(refusal.value.details) == 2


def test_the_same_request_gives_the_same_set_and_asks_nobody(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Also when the index has more meanwhile; under another document's pointers; and `foreseen` knows it."""
    make_wheel(links, "alpha", "1.5")
    request = asking(pip=("alpha==1.0",))
    first = room(two[1]).resolve(request)
    make_wheel(links, "alpha", "1.2")
    heard: list[str] = []

    moved = EnvironmentRequest("other", None, request.conda, "/jobs/train/environment", relax=True)
    later = room(two[1]).resolve(moved, heard.append)

    assert later.digest == first.digest == room(two[1]).foreseen(request)[0]
    assert heard == []
    assert later.relaxations[0].pointer == "/jobs/train/environment/conda_file/dependencies/0/pip/0"
    assert room(two[1]).resolve(request, fresh=True).relaxations[0].taken == "1.2"


def test_relaxed_and_strict_requests_do_not_share_a_record(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """What was relaxed once is still an error where it is not allowed."""
    make_wheel(links, "alpha", "1.5")
    room(two[1]).resolve(asking(pip=("alpha==1.0",)))

    with pytest.raises(EnvironmentCannotBeBuilt):
        room(two[1]).resolve(asking(pip=("alpha==1.0",), relax=False))


def test_a_relaxed_environment_is_built_and_says_what_differs(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """The rows come with what is ready."""
    make_wheel(links, "alpha", "1.5")

    ready = room(two[1]).ensure(asking("python=3.9", pip=("alpha==1.0",)), lambda _: None)

    assert rows(ready.relaxations) == [("python", "3.9", two[1].version), ("alpha", "==1.0", "1.5")]
    assert ready.python.exists()


def test_a_package_that_comes_as_source_alone_is_built_from_it(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Also one that only another package needs; everything else stays with its wheels."""
    make_sdist(links, "alpha", "1.0")
    make_sdist(links, "beta", "1.0")
    make_wheel(links, "gamma", "2.0", requires=("beta",))

    ready = room(two[1]).ensure(asking(pip=("alpha==1.0", "gamma==1.0")), lambda _: None)

    assert rows(ready.relaxations) == [("gamma", "==1.0", "2.0")]
    answer = subprocess.run([ready.python, "-c", "import alpha, beta, gamma"], check=False)
    assert answer.returncode == 0


def test_a_package_whose_source_cannot_be_built_gives_way(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Its build is tried before it is promised."""
    make_sdist(links, "alpha", "1.0", fails=True)
    make_wheel(links, "alpha", "1.3")

    relaxed = room(two[1]).resolve(asking(pip=("alpha==1.0",)))

    assert rows(relaxed.relaxations) == [("alpha", "==1.0", "1.3")]
    assert "building it failed" in relaxed.relaxations[0].why


def test_what_cannot_be_imported_in_a_relaxed_environment_is_told(
    room: Room, links: Path, two: tuple[Interpreter, Interpreter]
) -> None:
    """Its metadata promised more. What the environment remembers is told to everybody who gets it."""
    broken = {
        "alpha/__init__.py": "from inspect import formatargspec_of_old\n",
        "alphas_tools/__init__.py": "1 / 0\n",
    }
    make_wheel(links, "alpha", "1.5", files=broken)
    make_wheel(links, "beta", "1.0")
    request = asking(pip=("alpha==1.0", "beta"))

    first = room(two[1]).ensure(request, lambda _: None)
    again = room(two[1]).ensure(request, lambda _: None)

    [warning] = first.warnings
    assert "`import alpha` (alpha) fails in this environment: ImportError" in warning
    assert again.warnings == first.warnings


def test_what_is_built_as_it_is_written_needs_no_index_to_be_relaxed(
    room: Room, links: Path, present: tuple[Interpreter, ...], say: Callable[[str], None], tmp_path: Path
) -> None:
    """It can be had, for it is there: nobody is asked, and nothing is taken otherwise."""
    make_wheel(links, "oldlib", "1.0")
    (tmp_path / "nothing").mkdir()
    here = present[-1]
    wanted = {"pip": ("oldlib==1.0",)}
    built = room(here).ensure(asking("pip", relax=False, **wanted), say)

    offline = room(here, PIP_FIND_LINKS=str(tmp_path / "nothing"))
    again = offline.ensure(asking("pip", **wanted), say)

    assert again.digest == built.digest
    assert again.relaxations == ()
    assert offline.foreseen(asking("pip", **wanted)) == (built.digest, True)


def test_a_pip_that_does_not_start_on_the_python_that_is_taken_is_a_row(
    room: Room, present: tuple[Interpreter, ...]
) -> None:
    """As every other difference."""
    new = [one for one in present if one.minor >= (3, 12)]
    if not new:
        pytest.skip("this machine has no Python 3.12 or later")

    relaxed = room(new[-1]).resolve(asking("python=3.8", "pip>=21,<22"))

    assert [(row.what, row.asked) for row in relaxed.relaxations] == [
        ("python", "3.8"),
        ("pip", "<22,>=21"),
    ]
    assert relaxed.relaxations[1].taken is not None
    assert relaxed.warnings == ()
