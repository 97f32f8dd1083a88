"""Somebody whose conda file needs a Python and packages that only their own channel has."""

import os
from pathlib import Path

import pytest

from penstock.environments.conda_packages import rattler
from penstock.environments.interpreters import Interpreters
from tests.environments.conda_channel import one_to_package, small_world, write_channel
from tests.journeys.person import Person

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not rattler.is_here(), reason="py-rattler is not installed"),
]

CONDA = "channels: [{channel}, nodefaults]\nvariables: {{MODE: fast}}\ndependencies: [python={version}, speaking, alpha=1]\n"
JOB = """\
type: command
command: >-
  speak && echo "mode $MODE" && python -V && python -c "import os, sys; print('in', os.environ['CONDA_PREFIX'] == sys.base_prefix)"
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04
  conda_file: conda.yml
"""


def test_a_job_runs_with_the_packages_of_its_own_channel(
    person: Person, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On a machine that offers no Python at all; asked for by the variable, and then by the workspace."""
    folder = tmp_path_factory.mktemp("channel")
    python = one_to_package(Interpreters(folder / "interpreters.json", os.environ).found())
    channel = write_channel(folder / "channel", small_world(python))
    (folder / "no-pythons").mkdir()
    person.environment |= {"PENSTOCK_PYTHONS": str(folder / "no-pythons"), "HOME": str(folder)}
    (person.folder / "conda.yml").write_text(CONDA.format(channel=channel, version=python.version))
    (person.folder / "job.yml").write_text(JOB)
    conda = {"PENSTOCK_CONDA_PACKAGES": "conda"}

    refused = person.types("penstock", "job", "create", "-f", "job.yml", expect=1).stderr
    plan = person.types(
        "penstock", "job", "create", "-f", "job.yml", "--dry-run", "-o", "table", more=conda
    ).stdout
    person.types("penstock", "job", "create", "-f", "job.yml", "-n", "first", "--stream", more=conda)
    person.penstock("workspace", "update", "--set", "settings.environments.conda_packages=conda")
    second = person.types("penstock", "job", "create", "-f", "job.yml", "-n", "second", "--stream").stderr

    assert "conda.yml:3" in refused
    assert "to be built from conda packages" in plan
    person.penstock("job", "download", "-n", "first", "--all")
    log = next(Path(person.folder).rglob("system_logs/environment.log")).read_text()
    assert "with py-rattler" in log
    for line in ("hello from alpha 1.0", "mode fast", f"Python {python.version}", "in True"):
        assert line in second
