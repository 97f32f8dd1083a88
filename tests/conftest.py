"""What every test stands on: a clean environment, a home of its own, real data where a person has it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Property tests may not fail because the machine was busy: no example has a deadline.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")

_OURS = ("PENSTOCK_", "MLFLOW_", "AZUREML_", "AZ_BATCH", "_MLFLOW_")
_SHAPES_OUTPUT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100"}


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data that `PENSTOCK_TEST_DATA` names; the test is skipped where there is none."""
    named = os.environ.get("PENSTOCK_TEST_DATA")
    if not named:
        pytest.skip("PENSTOCK_TEST_DATA names no folder: this test needs real data")
    folder = Path(named)
    assert folder.is_dir(), f"PENSTOCK_TEST_DATA names {folder}, which is no folder"
    return folder


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """No setting of the person who runs the tests leaks in, and no state of theirs is touched; gives the home."""
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    for name, value in _SHAPES_OUTPUT.items():
        monkeypatch.setenv(name, value)
    for name in ("LC_CTYPE", "LANGUAGE", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    # MLflow asks its makers' servers for nothing and tells them nothing.
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    home = tmp_path_factory.mktemp("home") / "penstock"
    monkeypatch.setenv("PENSTOCK_HOME", str(home))
    yield home
