"""Tables from end to end: a data asset of type mltable, a step that loads it without the public package, an mltable output."""

from pathlib import Path

import pytest

from tests.journeys.person import Person

pytestmark = pytest.mark.slow

FILES = {
    "table/MLTable": """$schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json
type: mltable
paths:
  - pattern: ./*.csv
transformations:
  - read_delimited: {header: all_files_same_headers}
  - filter: 'col("fare") > 10 and col("vendor") == "x"'
  - keep_columns: [fare, vendor]
""",
    "table/a.csv": "vendor,fare,tip\nx,5,1\nx,12,1\ny,20,2\n",
    "table/b.csv": "vendor,fare,tip\nx,30.5,0\n",
    "data.yml": "name: taxi\nversion: '1'\ntype: mltable\npath: ./table\n",
    "conda.yml": "dependencies:\n- python=3.11\n- pip\n- pip:\n  - pandas\n",
    "src/prepare.py": """import argparse, os, mltable
parser = argparse.ArgumentParser()
parser.add_argument("--data")
parser.add_argument("--out")
args = parser.parse_args()
frame = mltable.load(args.data).to_pandas_dataframe()
print("columns", list(frame.columns), "fares", frame["fare"].tolist())
print("from", os.path.basename(os.path.dirname(os.path.dirname(mltable.__file__))))
frame.to_csv(os.path.join(args.out, "kept.csv"), index=False)
os.chdir(args.out)
mltable.from_delimited_files([{"file": "./kept.csv"}]).take(1).save(args.out)
""",
    "src/use.py": """import sys, mltable
print("rows", mltable.load(sys.argv[1]).to_pandas_dataframe().values.tolist())
""",
    "delta.yml": """type: command
code: ./src
command: python delta.py
environment:
  image: "python:3.11"
  conda_file: {dependencies: [python=3.11, pip, {pip: [pandas, pyarrow, deltalake]}]}
""",
    "src/delta.py": """import datetime, time, mltable, pandas
from deltalake import write_deltalake
write_deltalake("t", pandas.DataFrame({"n": [1, 2]}))
time.sleep(0.1)
between = datetime.datetime.now(datetime.timezone.utc).isoformat()
time.sleep(0.1)
write_deltalake("t", pandas.DataFrame({"n": [3]}), mode="append")
for asked in ({}, {"version_as_of": 0}, {"timestamp_as_of": between}, {"timestamp_as_of": "2999-01-01T00:00:00Z"}):
    print(sorted(mltable.from_delta_lake("t", **asked).filter("n > 1").to_pandas_dataframe()["n"]))
try:
    mltable.from_delta_lake("t", version_as_of=9).to_pandas_dataframe()
except mltable.MLTableError as error:
    print("refused:", error)
""",
    "pipeline.yml": """type: pipeline
inputs:
  taxi: {type: mltable, path: "azureml:taxi@latest"}
jobs:
  prepare:
    type: command
    code: ./src
    command: python prepare.py --data ${{inputs.data}} --out ${{outputs.kept}}
    environment: {image: "python:3.11", conda_file: ./conda.yml}
    inputs: {data: "${{parent.inputs.taxi}}"}
    outputs: {kept: {type: mltable}}
  use:
    type: command
    code: ./src
    command: python use.py ${{inputs.table}}
    environment: {image: "python:3.11", conda_file: ./conda.yml}
    inputs: {table: {type: mltable, path: "${{parent.jobs.prepare.outputs.kept}}"}}
""",
}


@pytest.fixture(scope="module")
def project(person: Person) -> Person:
    for name, text in FILES.items():
        (person.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (person.folder / name).write_text(text)
    return person


def test_a_mistake_in_the_mltable_file_is_told_with_its_line(project: Person) -> None:
    """Before anything is registered."""
    broken = project.folder / "broken"
    broken.mkdir()
    (broken / "MLTable").write_text(
        "paths:\n- file: ./a.csv\ntransformations:\n- read_delimited: {sep: ';'}\n"
    )

    said = project.types(
        "penstock", "data", "create", "-n", "b", "-t", "mltable", "-p", "./broken", expect=1
    ).stderr

    assert "broken/MLTable:4" in said
    assert "`sep` is not a field of `read_delimited`" in said
    words = ("data", "create", "-n", "b", "-t", "mltable", "-p", "./broken", "--skip-validation")
    assert project.record(*words)["type"] == "mltable"


def test_a_pipeline_reads_a_table_and_hands_on_another(project: Person) -> None:
    """`mltable.load(...).to_pandas_dataframe()` in an environment that has pandas alone."""
    project.penstock("data", "create", "-f", "data.yml")

    job = project.record("job", "create", "-f", "pipeline.yml", "--stream")

    assert job["status"] == "Completed"
    steps = {
        step["step"]: step["name"] for step in project.record("job", "list", "--parent-job-name", job["name"])
    }
    assert "columns ['vendor', 'fare'] fares [12.0, 30.5]" in log_of(project, steps["prepare"])
    assert "from provided" in log_of(project, steps["prepare"])
    assert "rows [['x', 12.0]]" in log_of(project, steps["use"])


def test_a_table_of_this_folder_is_an_input_too(project: Person) -> None:
    """A local path is uploaded; the files of its table are laid out for `eval_mount`."""
    (project.folder / "job.yml").write_text(
        "type: command\ncommand: cat ${{inputs.t}}/*.csv | wc -l\nenvironment: {image: python}\n"
        "inputs: {t: {type: mltable, path: ./table, mode: eval_mount}}\n"
    )

    job = project.record("job", "create", "-f", "job.yml", "--stream")

    assert job["status"] == "Completed"
    assert "6" in log_of(project, job["name"])


def test_a_delta_table_is_read_as_it_was(project: Person) -> None:
    """By version, by time, and as it is now: a time far ahead means the newest version."""
    job = project.record("job", "create", "-f", "delta.yml", "--stream")

    log = log_of(project, job["name"])
    assert [line for line in log.splitlines() if line.startswith("[")] == ["[2, 3]", "[2]", "[2]", "[2, 3]"]
    assert "refused:" in log


def log_of(person: Person, job: str) -> str:
    person.penstock("job", "download", "-n", job, "--all", "--download-path", f"logs-{job}")
    (log,) = Path(person.folder / f"logs-{job}").rglob("std_log.txt")
    return log.read_text()
