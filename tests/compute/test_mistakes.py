"""What cannot be started is refused with the reason."""

from pathlib import Path

import pytest

from penstock.compute.local import LocalCompute
from penstock.errors import PenstockError
from tests.compute.steps import Launcher


def test_an_interpreter_that_does_not_exist_is_named(compute: LocalCompute, launch: Launcher) -> None:
    """The message says what could not be run."""
    with pytest.raises(PenstockError, match="no-such-python"):
        compute.start(launch("exit 0", python=Path("/no-such-python")))


def test_an_interpreter_that_fails_shows_what_it_said(
    compute: LocalCompute, launch: Launcher, tmp_path: Path
) -> None:
    """Its own words are in the details."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'libpython3.so: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)

    with pytest.raises(PenstockError, match="small parent failed") as caught:
        compute.start(launch("exit 0", python=broken))

    assert "libpython3.so: cannot open shared object file" in caught.value.details


@pytest.mark.parametrize(
    "change",
    [
        {"argv": ("/bin/echo", "a\0b")},
        {"env": {"TOKEN": "canary\0"}},
        {"env": {"TOKEN": "canary\ud800"}},
        {"env": {"A=B": "canary"}},
        {"env": {"": "canary"}},
        {"argv": ()},
    ],
)
def test_what_no_command_can_get_is_refused_without_showing_it(
    compute: LocalCompute, launch: Launcher, change: dict[str, object]
) -> None:
    """A NUL or an impossible name is an error before anything starts, and a value is never repeated."""
    asked = launch("exit 0", **change)

    with pytest.raises(PenstockError) as caught:
        compute.start(asked)

    assert "canary" not in str(caught.value.as_record())
    assert not asked.folder.exists()
