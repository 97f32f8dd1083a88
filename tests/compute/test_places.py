"""Secrets stay in the command; paths, locales and time zones of all kinds work."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.compute import worker
from penstock.compute.local import LocalCompute
from penstock.testing.compute_contract import end_of
from tests.compute.steps import Launcher, kill, pids_in, serve


def test_reliability_15_no_secret_of_the_environment_is_on_disk_or_in_argv(
    compute: LocalCompute, launch: Launcher
) -> None:
    """The token is in the command's own environment and nowhere else."""
    secret = "canary-8d1f"
    asked = launch('test "$TOKEN" = canary-$PART && echo $$ && sleep 600', env={
        "PATH": os.environ["PATH"], "TOKEN": secret, "PART": "8d1f"})  # fmt: skip
    handle = compute.start(asked)
    pids_in(asked.log, 1)

    on_disk = b"".join(path.read_bytes() for path in asked.cwd.rglob("*") if path.is_file())
    assert secret.encode() not in on_disk
    assert secret not in repr(asked)
    if worker.LINUX:
        for name in ("cmdline", "environ"):
            assert secret.encode() not in Path(f"/proc/{handle.pid}/{name}").read_bytes()
    compute.cancel(handle)
    end_of(compute, handle)


def test_a_log_is_the_owners_alone(compute: LocalCompute, launch: Launcher) -> None:
    """Logs and results may hold what others should not read."""
    asked = launch("echo secret")

    end_of(compute, compute.start(asked))

    for path in (asked.log, asked.folder / "result.json", asked.folder / "worker.json"):
        assert path.stat().st_mode & 0o077 == 0


def test_paths_with_spaces_and_other_alphabets_work(
    compute: LocalCompute, launch: Launcher, tmp_path: Path
) -> None:
    """In the folder, the working folder, the log, the command and the id."""
    place = tmp_path / "my models " / "Übung ☃ 'q'"
    place.mkdir(parents=True)
    program = place / "läuf $x.sh"
    program.write_text("#!/bin/sh\npwd\nexit 6\n")
    program.chmod(0o755)
    asked = launch(
        "", id="schritt ☃", folder=place / "state", cwd=place, log=place / "log ☃.txt", argv=(str(program),)
    )

    handle = compute.start(asked)

    assert end_of(compute, handle).exit_code == 6
    assert asked.log.read_text() == f"{place}\n"
    assert compute.adopt(asked.folder) == handle


def test_another_locale_and_time_zone_change_nothing(
    compute: LocalCompute, launch: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server under one locale and zone starts the step, one under another adopts it; times are UTC."""
    asked = launch("echo Grüße; exit 1", id="schritt-ü")
    server, handle = serve(asked, LANG="tr_TR.ISO-8859-9", LC_ALL="C", TZ="Pacific/Kiritimati")
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()

    finished = end_of(compute, handle)
    kill(server)

    assert compute.adopt(asked.folder) == handle
    assert abs(finished.ended_at - time.time()) < 600
    assert asked.log.read_bytes() == "Grüße\n".encode()


@pytest.fixture(autouse=True)
def _own_time_zone() -> Iterator[None]:
    yield
    time.tzset()
