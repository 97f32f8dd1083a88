"""`penstock validate`: one JSON object, an exit code, and no server."""

import json
import os
import subprocess
import sys
from pathlib import Path


def validate(folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {**os.environ, "PENSTOCK_HOME": str(folder / "home"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "penstock", "validate", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_good_file_is_ok_and_starts_no_server(tmp_path: Path) -> None:
    """Nothing appears where the state would be."""
    (tmp_path / "job.yml").write_text(
        "command: python -V\nenvironment: azureml:e:1\ncompute: azureml:pool\n", encoding="utf-8"
    )

    code, out, err = validate(tmp_path, "-f", "job.yml")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"ok": True, "kind": "job", "errors": [], "warnings": []}
    assert not (tmp_path / "home").exists()


def test_each_error_has_its_place_and_the_next_step(tmp_path: Path) -> None:
    """File, line, path, message, expected, hint and code; the exit code says that there are some."""
    (tmp_path / "job.yml").write_text(
        "command: python -V\nenvironment: azureml:e:1\nenviroment_variables: {A: b}\n", encoding="utf-8"
    )

    code, out, _ = validate(tmp_path, "-f", "job.yml")

    (error,) = json.loads(out)["errors"]
    assert code == 1
    assert error.keys() == {"file", "line", "path", "message", "expected", "hint", "code"}
    assert (error["file"], error["line"], error["path"]) == ("job.yml", 3, "enviroment_variables")
    assert "environment_variables" in error["hint"]


def test_the_path_is_the_field_as_people_write_it(tmp_path: Path) -> None:
    """`jobs.train.limits.timeout`, as the product's own validation says it."""
    (tmp_path / "pipeline.yml").write_text(
        "type: pipeline\njobs:\n  train: {command: ls, environment: azureml:e:1, limits: {timeout: soon}}\n",
        encoding="utf-8",
    )

    _, out, _ = validate(tmp_path, "-f", "pipeline.yml", "--query", "errors[].path", "-o", "json")

    assert json.loads(out) == ["jobs.train.limits.timeout"]


def test_flags_stand_for_fields(tmp_path: Path) -> None:
    """`--name` and `--endpoint-name` count before the file's; an endpoint makes it a deployment."""
    (tmp_path / "d.csv").write_text("x\n", encoding="utf-8")
    (tmp_path / "data.yml").write_text("type: uri_file\npath: d.csv\n", encoding="utf-8")
    (tmp_path / "blue.yml").write_text("name: blue\n", encoding="utf-8")

    assert validate(tmp_path, "-f", "data.yml", "--name", "rides")[0] == 0
    code, out, _ = validate(tmp_path, "-f", "blue.yml", "--endpoint-name", "taxi")
    assert (code, json.loads(out)["kind"]) == (1, "online-deployment")
    assert json.loads(out)["errors"][0]["code"] == "unsupported"
