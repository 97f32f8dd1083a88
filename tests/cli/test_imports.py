"""What the command line's path must never import: named, not timed."""

import json
import os
import subprocess
import sys

import pytest

from tests.client.fake_server import FakeServer

HEAVY = (
    "pydantic", "fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "httpx", "mlflow", "pandas", "numpy", "asyncio",
    "ruamel", "pkg_resources", "importlib.metadata",
)  # fmt: skip
LAZY = ("yaml", "jmespath", "rich", "tabulate", "pathspec", "webbrowser", "difflib")

_SHOW = """
import json, sys
from importlib import import_module
code = import_module(sys.argv[1]).run(sys.argv[2:])
sys.stderr.write("\\nMODULES" + json.dumps([code, sorted(sys.modules)]))
"""


def imported_by(line: str, program: str = "penstock.cli.main") -> list[str]:
    """The modules that are loaded when the command is done."""
    ran = subprocess.run(
        [sys.executable, "-c", _SHOW, program, *line.split()],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=dict(os.environ),
    )
    code, modules = json.loads(ran.stderr.split("\nMODULES")[1])
    assert code == 0, ran.stderr
    return list(modules)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("--help", ()),
        ("--version", ()),
        ("job create --help", ()),
        ("job show -n x", ()),
        ("job list -o tsv", ()),
        ("compute list", ()),
        ("model show -n m -l latest", ()),
        ("status", ()),
        ("server status -o json", ()),
        ("completion words --line=penstock", ()),
        ("configure --list-defaults", ()),
        ("job show -n x --query name -o tsv", ("jmespath",)),
        ("job show -n x -o yaml", ("yaml",)),
        ("job show -n x -o table", ("tabulate", "importlib.metadata")),
    ],
)
def test_reliability_41_the_command_line_imports_nothing_heavy(
    fake: FakeServer, line: str, allowed: tuple[str, ...]
) -> None:
    """By name: what is imported for nothing makes every command slower."""
    base = "/api/v1/workspaces/default"
    fake.on("GET", f"{base}/jobs/x", {"name": "x"})
    fake.on("GET", f"{base}/jobs", [])
    fake.on("GET", f"{base}/computes", [])
    fake.on("GET", f"{base}/models/m/labels/latest", {"name": "m"})
    fake.on("GET", "/api/v1/status", {"pid": 1, "jobs": {}})

    modules = {name.split(".")[0] for name in imported_by(line)} | set(imported_by(line))

    assert not modules & (set(HEAVY + LAZY) - set(allowed))


def test_reliability_41_a_noun_imports_no_other_noun(fake: FakeServer) -> None:
    """One module per noun, imported when typed."""
    fake.on("GET", "/api/v1/workspaces/default/computes", [])

    loaded = {
        name for name in imported_by("compute list") if name.startswith(("penstock.cli.", "penstock.client."))
    }

    assert "penstock.cli.compute" in loaded
    assert not loaded & {
        "penstock.cli.job",
        "penstock.cli.model",
        "penstock.client.jobs",
        "penstock.client.uploads",
    }


def test_reliability_41_a_document_costs_yaml_and_no_pydantic(fake: FakeServer, tmp_path: object) -> None:
    """`-f` reads YAML; the meaning of a document is the server's."""
    from pathlib import Path

    file = Path(str(tmp_path)) / "compute.yml"
    file.write_text("name: cpu\ntype: amlcompute\n")
    fake.on("POST", "/api/v1/workspaces/default/computes", {"record": {"name": "cpu"}, "warnings": []}, 201)

    modules = {name.split(".")[0] for name in imported_by(f"compute create -f {file}")}

    assert "yaml" in modules
    assert not modules & (set(HEAVY) | {"rich", "jmespath", "tabulate"})
