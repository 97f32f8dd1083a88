"""From a request to a lock: the same one each time, narrowed where it would not work together."""

import json
import stat
from pathlib import Path

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.environments.interpreters import Interpreter
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError
from tests.environments.conftest import make_wheel


def asking(*dependencies: object, image: str | None = None, pip: tuple[str, ...] = ()) -> EnvironmentRequest:
    """A request with these conda dependencies and pip lines."""
    conda = {"dependencies": [*dependencies, {"pip": list(pip)}]}
    return EnvironmentRequest("train-env:1", image, conda, "/environment")


def test_the_lock_names_every_package_with_its_version(environments: Environments) -> None:
    """What was asked for, what that needs, and what every environment has."""
    locked = environments.resolve(asking(pip=("alpha",)))

    names = [line.split("==")[0] for line in locked.lock.splitlines()]
    assert "alpha==2.0" in locked.lock.splitlines()
    assert "beta==2.0" in locked.lock.splitlines()
    assert "pip" in names
    assert len(locked.digest) == 64


def test_the_same_request_gives_the_same_lock_later(
    environments: Environments, tmp_path: Path, environ: dict[str, str], wheelhouse: Path
) -> None:
    """Also after a restart, and when the index has newer versions meanwhile."""
    links = tmp_path / "index"
    links.mkdir()
    for wheel in wheelhouse.iterdir():
        (links / wheel.name).symlink_to(wheel)
    mine = {**environ, "PIP_FIND_LINKS": str(links)}
    first = Environments(tmp_path / "mine", environ=mine).resolve(asking(pip=("beta", "alpha")))
    make_wheel(links, "beta", "3.0")

    later = Environments(tmp_path / "mine", environ=mine).resolve(asking(pip=("alpha", "beta")))
    fresh = Environments(tmp_path / "mine", environ=mine).resolve(asking(pip=("alpha", "beta")), fresh=True)

    assert later.digest == first.digest
    assert "beta==3.0" in fresh.lock
    assert fresh.digest != first.digest


def test_requests_that_resolve_alike_are_one_environment(environments: Environments) -> None:
    """The digest is of the lock, not of the words that led to it."""
    loose = environments.resolve(asking(pip=("alpha>=1",)))
    tight = environments.resolve(asking(pip=("alpha==2.0",)))

    assert loose.digest == tight.digest


def test_another_python_is_another_environment(
    environments: Environments, present: tuple[Interpreter, ...]
) -> None:
    """The same pins on another Python are other files."""
    versions = sorted({one.minor for one in present})
    if len(versions) < 2:
        pytest.skip("this machine has one Python")

    digests = {
        environments.resolve(asking("python={}.{}".format(*one), pip=("alpha",))).digest
        for one in versions[-2:]
    }

    assert len(digests) == 2


def test_an_unpinned_mlflow_stays_below_the_one_that_refuses_forests_and_says_so(
    environments: Environments,
) -> None:
    """The issue's own words."""
    locked = environments.resolve(asking(pip=("mlflow", "scikit-learn")))

    assert "mlflow==3.13.0" in locked.lock
    assert locked.has_mlflow
    assert any("no MLflow version is pinned: 3.13.0 is used" in warning for warning in locked.warnings)


@pytest.mark.parametrize("line", ["mlflow<3", "mlflow==2.9.2"])
def test_an_mlflow_that_the_file_holds_back_itself_is_no_news(environments: Environments, line: str) -> None:
    """No warning where nothing was decided for the user."""
    locked = environments.resolve(asking(pip=(line,)))

    assert "mlflow==2.9.2" in locked.lock
    assert locked.warnings == ()


@pytest.mark.parametrize("line", ["mlflow==3.14.0", "mlflow>=3.14"])
def test_an_mlflow_that_the_file_asks_for_is_taken_and_its_refusal_is_named(
    environments: Environments, line: str
) -> None:
    """The file wins; the user hears what will happen."""
    locked = environments.resolve(asking(pip=(line, "scikit-learn")))

    assert "mlflow==3.14.0" in locked.lock
    assert any("refuses to log scikit-learn forests" in warning for warning in locked.warnings)


def test_an_old_release_gets_the_neighbours_of_its_day(environments: Environments) -> None:
    """scikit-learn 1.0 does not forbid numpy 2, and does not start with it."""
    old = environments.resolve(asking("scikit-learn=1.0", "numpy"))
    new = environments.resolve(asking("scikit-learn=1.5", "numpy"))

    assert "numpy==1.23.5" in old.lock
    assert any("numpy is held to <2" in warning for warning in old.warnings)
    assert "numpy==2.1" in new.lock
    assert new.warnings == ()


@pytest.mark.parametrize(
    ("line", "setuptools"),
    [("alpha", "59.8"), ("modern", "80.0"), ("setuptools==80.0", "80.0")],
)
def test_setuptools_is_the_last_that_leaves_pythons_distutils_alone_unless_more_is_asked(
    environments: Environments, present: tuple[Interpreter, ...], line: str, setuptools: str
) -> None:
    """Releases of old break on setuptools' own distutils; Python 3.12 has no other."""
    old = [one for one in present if one.minor < (3, 12)]
    if not old:
        pytest.skip("this machine has no Python before 3.12")

    locked = environments.resolve(asking("python={}.{}".format(*old[-1].minor), pip=(line,)))

    assert f"setuptools=={setuptools}" in locked.lock.splitlines()


def test_mlflow_and_its_skinny_twin_have_one_version(environments: Environments) -> None:
    """Both bring the package `mlflow`; azureml-mlflow asks for the one, the file pins the other."""
    locked = environments.resolve(asking(pip=("mlflow==2.9.2", "azureml-mlflow")))

    assert {"mlflow==2.9.2", "mlflow-skinny==2.9.2"} <= set(locked.lock.splitlines())
    assert any("mlflow-skinny is held to ==2.9.2" in warning for warning in locked.warnings)


def test_an_mlflow_that_only_another_package_needs_is_held_back_too(environments: Environments) -> None:
    """azureml-mlflow alone brings mlflow-skinny."""
    locked = environments.resolve(asking(pip=("azureml-mlflow",)))

    assert "mlflow-skinny==3.13.0" in locked.lock
    assert locked.has_mlflow


def test_a_pin_in_the_file_wins_over_what_is_known_of_neighbours(environments: Environments) -> None:
    """Somebody may know better."""
    locked = environments.resolve(asking("scikit-learn=1.0", "numpy=2.1"))

    assert "numpy==2.1" in locked.lock


def test_contradicting_pins_are_shown_with_their_lines(environments: Environments) -> None:
    """The issue's own words: the conflicting pins are shown."""
    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        environments.resolve(asking(pip=("alpha==2.0", "beta==1.0")))

    details = "\n".join(refusal.value.details)
    assert "depends on beta>=2 and you require alpha==2.0" in details
    assert "/environment/conda_file/dependencies/0/pip/0  alpha==2.0" in details
    assert "/environment/conda_file/dependencies/0/pip/1  beta==1.0" in details
    assert "<3.14" not in details


def test_a_package_that_no_index_has_is_named(environments: Environments) -> None:
    """With its line."""
    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        environments.resolve(asking(pip=("alpha", "no-such-package")))

    assert "no-such-package" in refusal.value.details[0]
    assert any("/pip/1" in line for line in refusal.value.details)


def test_problems_of_the_file_stop_before_the_network(environments: Environments) -> None:
    """`check` finds them; `resolve` repeats all of them."""
    request = asking("no-such-thing", pip=("-r x.txt",))

    problems = environments.check(request)
    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        environments.resolve(request)

    assert [problem.pointer for problem in problems] == [
        "/environment/conda_file/dependencies/0",
        "/environment/conda_file/dependencies/1/pip/0",
    ]
    assert [line.split()[0] for line in refusal.value.details] == [problem.pointer for problem in problems]


def test_an_absent_python_is_a_problem_until_the_nearest_is_allowed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """By the server's setting, or by the workspace's word."""
    conda = {"dependencies": ["python=3.30"]}
    exact = Environments(tmp_path / "e", environ=environ)
    nearest = Environments(tmp_path / "e", environ={**environ, "PENSTOCK_PYTHON": "nearest"})
    request = EnvironmentRequest("e", None, conda, "")
    allowed = EnvironmentRequest("e", None, conda, "", allow_nearest_python=True)

    [problem] = exact.check(request)

    assert problem.pointer == "/conda_file/dependencies/0"
    assert nearest.check(request) == ()
    assert exact.check(allowed) == ()
    assert "nearest" in nearest.resolve(request).warnings[0]


def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, environ: dict[str, str]) -> None:
    """It would otherwise be taken for `exact`."""
    with pytest.raises(PenstockError, match="PENSTOCK_PYTHON"):
        Environments(tmp_path, environ={**environ, "PENSTOCK_PYTHON": "newest"}).check(asking())


def test_an_image_alone_is_recorded_with_one_warning(environments: Environments) -> None:
    """Edge case 2.3. Its Python is a preference; nothing but pip is in it."""
    request = EnvironmentRequest("e", "python:3.30", None, "/environment")

    locked = environments.resolve(request)

    assert environments.check(request) == ()
    assert len(locked.warnings) == 1
    assert "is recorded and not run" in locked.warnings[0]
    assert not locked.has_mlflow
    assert {line.split("==")[0] for line in locked.lock.splitlines()} <= {"pip", "setuptools", "wheel"}


def test_an_image_that_may_hold_packages_is_named_beside_a_conda_file(environments: Environments) -> None:
    """A plain base is not: there is nothing in it to miss."""
    plain = asking(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
    full = asking(image="example.azurecr.io/team/torch:1")

    assert environments.resolve(plain).warnings == ()
    assert "example.azurecr.io/team/torch:1" in environments.resolve(full).warnings[0]


def test_neither_image_nor_conda_file_is_a_problem(environments: Environments) -> None:
    """There is nothing to go by."""
    [problem] = environments.check(EnvironmentRequest("e", None, None, "/environment"))

    assert problem.pointer == "/environment"
    assert problem.code == "missing"


def test_credentials_of_an_index_reach_neither_lock_nor_digest(
    environments: Environments, tmp_path: Path
) -> None:
    """A new token makes no other environment; the file that keeps it is the owner's alone."""
    first = environments.resolve(
        asking(pip=("alpha", "--extra-index-url https://u:one@x.invalid/simple", "--no-index"))
    )
    other = environments.resolve(
        asking(pip=("alpha", "--extra-index-url https://u:two@x.invalid/simple", "--no-index"))
    )

    assert first.digest == other.digest
    assert "one" not in first.lock + repr(first)
    records = list((tmp_path / "environments" / "requests").iterdir())
    assert len(records) == 2
    assert all(stat.S_IMODE(record.stat().st_mode) == 0o600 for record in records)


def test_a_damaged_record_is_resolved_anew(environments: Environments, tmp_path: Path) -> None:
    """Half a file says nothing."""
    first = environments.resolve(asking(pip=("alpha",)))
    [record] = (tmp_path / "environments" / "requests").iterdir()
    record.write_text(json.dumps({"schema": 1}))

    assert environments.resolve(asking(pip=("alpha",))).digest == first.digest


def test_an_index_out_of_reach_is_said_plainly(tmp_path: Path, environ: dict[str, str]) -> None:
    """And what to look at."""
    online = {name: value for name, value in environ.items() if not name.startswith("PIP_")}
    online |= {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "UV_HTTP_RETRIES": "0",
    }

    with pytest.raises(EnvironmentCannotBeBuilt, match="cannot be downloaded") as refusal:
        Environments(tmp_path / "e", environ=online).resolve(asking(pip=("alpha",)))

    assert refusal.value.hint is not None
    assert "PIP_INDEX_URL" in refusal.value.hint


def test_a_pip_that_does_not_start_on_a_new_python_is_left_out(
    environments: Environments, present: tuple[Interpreter, ...]
) -> None:
    """`pip=21` is common in conda files; the nearest Python may be new."""
    new = [one for one in present if one.minor >= (3, 12)]
    if not new:
        pytest.skip("this machine has no Python 3.12 or later")

    locked = environments.resolve(asking("python={}.{}".format(*new[0].minor), "pip=21.2.4"))

    assert "pip==21" not in locked.lock
    assert any("pip==21.2.4.*" in warning for warning in locked.warnings)
