"""Whether the packages that were asked for can be imported: metadata of old releases promises more than they hold."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

_SECONDS = 300
"""A set of large packages is imported in less than a minute; what takes longer is not waited for."""
_NOT_FOR_USERS = (
    "test",
    "tests",
    "testing",
    "docs",
    "doc",
    "examples",
    "example",
    "scripts",
    "benchmarks",
    "conftest",
)
# Runs in the environment: Python 3.7 or later, the standard library alone. Something imported may end the process.
_TRY = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        text = " ".join(str(error).split())
        print("penstock-cannot-import", name, type(error).__name__ + (": " + text if text else ""), flush=True)
"""


def failing_imports(prefix: Path, site_packages: Path, packages: Iterable[str]) -> tuple[str, ...]:
    """One line for each module of these packages that cannot be imported. `packages` are canonical names.

    Runs the packages' own code, as a step would, in a process of its own. What cannot be found out is not told.
    """
    modules = {module: package for package in packages for module in modules_of(site_packages, package)}
    if not modules:
        return ()
    with tempfile.TemporaryDirectory(prefix="penstock-imports-") as folder:
        try:
            answer = subprocess.run(
                [prefix / "bin" / "python", "-W", "ignore", "-c", _TRY, *modules],
                cwd=folder,
                env=_variables(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
    failed = [
        line.split(" ", 2)
        for line in answer.stdout.splitlines()
        if line.startswith("penstock-cannot-import ")
    ]
    return tuple(
        f"`import {module}` ({modules[module]}) fails in this environment: {why}" for _, module, why in failed
    )


def modules_of(site_packages: Path, package: str) -> list[str]:
    """The modules that a package brings to the top, as the record of its files has them. Namespaces are not told.

    Where one has the package's own name the others are by the way: wheels carry their authors' tools along.
    """
    for record in site_packages.glob("*.dist-info/RECORD"):
        name = record.parent.name.removesuffix(".dist-info").rsplit("-", 1)[0]
        if canonicalize_name(name) == package:
            modules = sorted(set(_modules_in(record.read_text("utf-8", "replace"))))
            own = [module for module in modules if canonicalize_name(module) == package]
            return own or modules
    return []


def _modules_in(record: str) -> Iterator[str]:
    for line in record.splitlines():
        parts = line.split(",")[0].strip('"').split("/")
        name = parts[0].split(".")[0]
        is_module = parts[1:] == ["__init__.py"] or (len(parts) == 1 and parts[0].endswith((".py", ".so")))
        if is_module and name.isidentifier() and not name.startswith("_") and name not in _NOT_FOR_USERS:
            yield name


def _variables(folder: str) -> dict[str, str]:
    """No window is opened, nothing is written into the environment or, where it can be helped, the user's home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "AZUREML_", "MLFLOW_"))
    }
    ours = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": folder,
        "GIT_PYTHON_REFRESH": "quiet",
    }
    return {**kept, **ours, "MLFLOW_DISABLE_TELEMETRY": "true"}
