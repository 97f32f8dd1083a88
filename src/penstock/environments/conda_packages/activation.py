"""What conda does to make an environment ready for use beside its files: variables, and bytecode for its Python."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SECONDS_TO_ACTIVATE = 60
# Sources what the packages bring for `conda activate`, and prints the variables as they are then.
_ACTIVATE = """
for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -r "$script" ]; then . "$script" >/dev/null 2>&1; fi
done
exec env -0
"""
_NOT_OURS = ("PATH", "PWD", "OLDPWD", "SHLVL", "_", "PS1")


def variables_of(prefix: Path, written: Mapping[str, str]) -> dict[str, str]:
    """What `conda activate` would set, PATH apart: the packages' own variables, and those that are `written` in the file."""
    base = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": str(prefix)}
    return {**base, **_by_scripts(prefix, base), **_by_packages(prefix), **written}


def compile_all(prefix: Path) -> None:
    """Bytecode for every module, so that no job writes any into the shared environment.

    What does not compile (templates, code for Python 2) is none the worse for it.
    """
    for library in sorted((prefix / "lib").glob("python3*")):
        if library.is_dir() and not library.is_symlink():
            subprocess.run(
                [prefix / "bin" / "python", "-I", "-m", "compileall", "-qq", "-j", "0", library],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )


def _by_packages(prefix: Path) -> dict[str, str]:
    """`etc/conda/env_vars.d/*.json`: variables that packages set without a script."""
    found: dict[str, str] = {}
    for file in sorted((prefix / "etc/conda/env_vars.d").glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        found |= {str(name): str(value) for name, value in content.items()}
    return found


def _by_scripts(prefix: Path, base: Mapping[str, str]) -> dict[str, str]:
    """What the packages' activation scripts set, in a clean shell."""
    if not any((prefix / "etc/conda/activate.d").glob("*.sh")):
        return {}
    before = {
        **base,
        "PATH": f"{prefix / 'bin'}{os.pathsep}{os.defpath}",
        "HOME": os.environ.get("HOME", "/"),
    }
    shell = shutil.which("bash") or "/bin/sh"
    answer = subprocess.run(
        [shell, "-c", _ACTIVATE],
        env=before,
        cwd=prefix,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS_TO_ACTIVATE,
        check=True,
    )
    lines = (
        line.partition("=") for line in answer.stdout.decode("utf-8", "replace").split("\0") if "=" in line
    )
    after = {name: value for name, _, value in lines}
    return {
        name: value for name, value in after.items() if before.get(name) != value and name not in _NOT_OURS
    }
