"""The page about Python: its code runs, from top to bottom, as a reader would type it."""

import re
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Environment, load_compute

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "python-sdk.md"
FILES = {
    "pipeline.yml": (
        "type: pipeline\ninputs: {trees: 3}\njobs:\n  grow:\n    command: echo ${{inputs.trees}}\n"
        "    environment: {image: 'python:3.11'}\n    inputs: {trees: '${{parent.inputs.trees}}'}\n"
    ),
    "prep.yml": "type: command\nname: prep\ncommand: ls\nenvironment: azureml:taxi-env@latest\n",
    "conda.yml": "dependencies: [python=3.11, pip]\n",
    "cpu-cluster.yml": "name: cpu-cluster\ntype: amlcompute\nmax_instances: 2\n",
    "data/rides.csv": "fare\n1\n",
    "src/prep.py": "import shutil, sys\nshutil.copy(sys.argv[2], sys.argv[4] + '/clean.csv')\n",
    "src/train.py": "import sys\nopen(sys.argv[6] + '/MLmodel', 'w').write('flavors: {}\\n')\n",
}


def test_the_code_of_the_page_runs(
    folder: Path, home: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files that it names, and two jobs of one's own in place of the two names that it compares."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    client.computes.create(load_compute("cpu-cluster.yml"))
    client.environments.create(Environment(name="taxi-env", image="python:3.11", conda_file="conda.yml"))
    monkeypatch.setenv("PENSTOCK_HOME", str(home))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.setenv(name, "")
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    jobs = "*(job.name for job in client.jobs.list())"

    names: dict[str, Any] = {}  # Any: whatever the page calls so
    exec(code.replace('"happy_frog", "sad_toad"', jobs), names)
    names["client"].close()

    assert [job.status for job in client.jobs.list()] == ["Completed", "Completed"]
    assert {row["name"] for row in client.components.list()} == {"prep"}
    assert (folder / "results").is_dir()
