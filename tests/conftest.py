"""What every test stands on: a clean environment, a home of its own, real data where a person has it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Property tests may not fail because the machine was busy: no example has a deadline.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")

_OURS = ("PENSTOCK_", "MLFLOW_", "AZUREML_", "AZ_BATCH", "_MLFLOW_", "AZURE_DEFAULTS_", "AZURE_CORE_")
_SET = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "COLUMNS": "100",
    # MLflow asks its makers' servers for nothing and tells them nothing.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest stories come first, so that the end of a run with several workers is not one worker's."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def named_test_data() -> Iterator[str | None]:
    """Cleans the environment for the fixtures of a session or module too; gives what `PENSTOCK_TEST_DATA` said before."""
    named = os.environ.get("PENSTOCK_TEST_DATA")
    with pytest.MonkeyPatch.context() as patch:
        _clean(patch)
        yield named


@pytest.fixture(scope="session")
def test_data(named_test_data: str | None) -> Path:
    """The folder of real data that `PENSTOCK_TEST_DATA` names; the test is skipped where there is none."""
    if not named_test_data:
        pytest.skip("PENSTOCK_TEST_DATA names no folder: this test needs real data")
    folder = Path(named_test_data)
    assert folder.is_dir(), f"PENSTOCK_TEST_DATA names {folder}, which is no folder"
    return folder


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No setting of the person who runs the tests leaks in, and no state of theirs is touched; gives the home."""
    _clean(monkeypatch)
    home = tmp_path_factory.mktemp("home") / "penstock"
    monkeypatch.setenv("PENSTOCK_HOME", str(home))
    return home


def _clean(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_OURS):
            patch.delenv(name)
    for name in ("LC_CTYPE", "LANGUAGE", "FORCE_COLOR", "CLICOLOR_FORCE"):
        patch.delenv(name, raising=False)
    for name, value in _SET.items():
        patch.setenv(name, value)
