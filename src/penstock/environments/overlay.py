"""A job's own thin layer over a shared environment: what its command installs by pip lands here and nowhere else.

The layer is a virtual environment without packages whose site-packages continue in the shared one's. So `python` sees
both, its own first; pip sees the shared packages as installed, and refuses to touch them because they lie outside of
`sys.prefix`. Nothing is copied and no process is started: a few dozen small files, a few milliseconds.
"""

import contextlib
import os
import shlex
from pathlib import Path

from penstock import provided
from penstock.environments.building import Built
from penstock.environments.files import disk_errors_named

# `addsitedir` and not a plain path: the shared environment's own .pth files (namespace packages, setuptools) count too.
# ASCII, since Pythons before 3.13 read these files in the locale's encoding.
# What is provided comes last: a package of the same name in the environment, or installed by the command, wins.
_CONTINUE_IN = "import site; site.addsitedir({shared!a})\nimport sys; sys.path.append({provided!a})\n"
_PROVIDED = Path(provided.__file__).resolve().parent
_POINTER = "_penstock_shared_environment.pth"
# The rest of a prefix is data that packages look up under `sys.prefix`: share/jupyter, etc/jupyter, lib/*.so of MKL.
_NOT_DATA = frozenset(
    {
        "bin",
        "lib64",
        "pyvenv.cfg",
        ".lock",
        ".gitignore",
        "CACHEDIR.TAG",
        "penstock-environment.json",
        "conda-meta",
    }
)
# Conda packages bring thousands of files there, into which nothing installs that pip knows: one link stands for each.
_WHOLE = frozenset(
    {
        "compiler_compat", "include", "lib/cmake", "lib/gcc", "lib/pkgconfig", "lib/R", "lib/tcl8.6", "lib/tk8.6", "libexec",
        "pkgs", "sbin", "share/doc", "share/info", "share/locale", "share/man", "share/terminfo", "share/zoneinfo", "ssl", "var",
        "x86_64-conda-linux-gnu", "aarch64-conda-linux-gnu",
    }
)  # fmt: skip


def lay_over(prefix: Path, built: Built, folder: Path) -> Path:
    """Make the layer in `folder`, which may exist but holds no layer yet, and return its `bin` folder, for PATH."""
    with disk_errors_named(folder.parent):
        commands = folder / "bin"
        packages = folder / built.site_packages
        commands.mkdir(parents=True, exist_ok=True)
        packages.mkdir(parents=True, exist_ok=True)
        _link(folder / "lib64", "lib")  # some distributions' Pythons install compiled packages there
        (folder / "pyvenv.cfg").write_bytes(_configuration(prefix, built))
        (packages / _POINTER).write_text(
            _CONTINUE_IN.format(shared=str(prefix / built.site_packages), provided=str(_PROVIDED)), "utf-8"
        )
        _interpreters(prefix, built, commands)
        _commands(prefix, built, commands)
        _data(prefix, folder)
    return commands


def _configuration(prefix: Path, built: Built) -> bytes:
    """The shared environment's own `pyvenv.cfg`; over conda packages, which are no venv, one that names their Python."""
    with contextlib.suppress(FileNotFoundError):
        return (prefix / "pyvenv.cfg").read_bytes()
    lines = (
        f"home = {prefix / 'bin'}",
        "include-system-site-packages = false",
        f"version = {built.python_version}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _interpreters(prefix: Path, built: Built, commands: Path) -> None:
    target = (prefix / "bin" / "python").readlink()
    _link(commands / "python", target if target.is_absolute() else (prefix / "bin" / "python").resolve())
    major, minor, _ = built.python_version.split(".")
    for name in ("python3", f"python{major}.{minor}"):
        _link(commands / name, "python")


def _commands(prefix: Path, built: Built, commands: Path) -> None:
    """The shared environment's commands, run by the layer's Python: `pytest` sees what `pip install` put in the layer.

    Plain files, not links: an installer that writes over one must not reach the shared one through it.
    """
    python = shlex.quote(str(commands / "python"))
    shared = prefix / "bin"
    for name in built.scripts:
        target = "-m pip" if _is_pip(name) else shlex.quote(str(shared / name))
        descriptor = os.open(commands / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o755)
        try:
            os.write(descriptor, f'#!/bin/sh\nexec {python} {target} "$@"\n'.encode())
        finally:
            os.close(descriptor)


def _is_pip(name: str) -> bool:
    return name in ("pip", "pip3") or name.startswith("pip3.")


def _data(prefix: Path, folder: Path) -> None:
    """The same tree of folders, real, and the files as links: what is installed over one replaces the link."""
    is_conda = (prefix / "conda-meta").is_dir()
    for parent, folders, names in os.walk(prefix):
        inside = Path(parent).relative_to(prefix)
        if inside == Path():
            folders[:] = [name for name in folders if name not in _NOT_DATA]
            names = [name for name in names if name not in _NOT_DATA]
        if inside == Path("lib"):
            folders[:] = [name for name in folders if not name.startswith("python")]
        for name in [name for name in folders if is_conda and str(inside / name) in _WHOLE]:
            folders.remove(name)
            _link(folder / inside / name, Path(parent, name))
        (folder / inside).mkdir(exist_ok=True)
        for name in names:
            _link(folder / inside / name, Path(parent, name))


def _link(path: Path, target: Path | str) -> None:
    if not os.path.lexists(path):
        path.symlink_to(target)
