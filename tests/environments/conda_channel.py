"""Conda channels made by hand: folders with a `repodata.json` and packages in both formats, without a network or conda."""

import bz2
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.environments.interpreters import Interpreter

# What a Python does without in these tests: its own tests, what is compiled, and what is only for building on it.
_LEFT_OUT = (
    "test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "turtledemo", "lib2to3",
    "ensurepip", "pydoc_data",
)  # fmt: skip
_ZSTD_MAGIC = (0xFD2FB528).to_bytes(4, "little")
_ZSTD_BLOCK = 128 * 1024
PLACEHOLDER = "/where/it/was/packaged_" + "placehold_" * 12
"""The prefix that stands in a package's files, to be replaced by the environment's where it is linked."""

SUBDIR = "linux-64"


@dataclass(frozen=True)
class File:
    """One file of a package, and when it was changed. `has_placeholder` files hold PLACEHOLDER, and are text."""

    content: bytes
    mode: int = 0o644
    changed: int = 1_600_000_000
    has_placeholder: bool = False


@dataclass(frozen=True)
class Package:
    """One package of a channel. `entry_points` make it a `noarch: python` one, with its modules below `site-packages/`."""

    name: str
    version: str
    build: str = "0"
    number: int = 0
    depends: tuple[str, ...] = ()
    files: Mapping[str, File] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    entry_points: tuple[str, ...] | None = None
    subdir: str = SUBDIR
    old_format: bool = False

    @property
    def file_name(self) -> str:
        """`alpha-1.0-py_0.conda`."""
        return f"{self.name}-{self.version}-{self.build}.{'tar.bz2' if self.old_format else 'conda'}"


def python_package(
    name: str,
    version: str,
    *,
    depends: tuple[str, ...] = (),
    module: str | None = None,
    entry_points: tuple[str, ...] = (),
    build: str = "py_0",
    number: int = 0,
    old_format: bool = True,
    data: Mapping[str, File] | None = None,
) -> Package:
    """A `noarch: python` package: one module with its version in it, and what pip and uv know it by."""
    plain = name.replace("-", "_")
    info = f"site-packages/{plain}-{version}.dist-info"
    files = {
        f"site-packages/{plain}.py": File((module or f"version = {version!r}\n").encode()),
        f"{info}/METADATA": File(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()),
        f"{info}/INSTALLER": File(b"conda\n"),
        **(data or {}),
    }
    record = f"{info}/RECORD"
    listed = (path.removeprefix("site-packages/") for path in [*files, record])
    files[record] = File("".join(f"{path},,\n" for path in listed).encode())
    return Package(
        name,
        version,
        build,
        number,
        depends=("python", *depends),
        files=files,
        entry_points=entry_points,
        subdir="noarch",
        old_format=old_format,
    )


def one_to_package(present: Sequence[Interpreter]) -> Interpreter:
    """A Python of this machine that can be packaged: the oldest that is not too old, and none of the system's own."""
    for interpreter in present:
        if interpreter.minor >= (3, 8) and not interpreter.path.is_relative_to("/usr/bin"):
            return interpreter
    pytest.skip("no Python of this machine can be packaged")


def small_world(interpreter: Interpreter) -> list[Package]:
    """A Python, its pip, and packages that need each other."""
    library = interpreter.path.parent.parent / "lib" / "python{}.{}".format(*interpreter.minor)
    pips = list(library.glob("ensurepip/_bundled/pip-*.whl"))
    if not pips:
        pytest.skip(f"{interpreter.path} has no ensurepip")
    module = "import alpha\n\ndef main():\n    print('hello from alpha', alpha.version)\n"
    return [
        the_python(interpreter),
        pip_package(pips[0]),
        python_package("alpha", "1.0", old_format=False),
        python_package("alpha", "2.0", depends=("beta >=2",)),
        python_package("alpha", "2.0", depends=("beta >=2",), build="special_1", number=1),
        python_package("beta", "1.0"),
        python_package("beta", "2.0"),
        python_package("speaking", "1.0", depends=("alpha",), module=module, entry_points=("speak = speaking:main",)),
    ]  # fmt: skip


def pip_package(wheel: Path) -> Package:
    """The real pip, out of its wheel."""
    with zipfile.ZipFile(wheel) as archive:
        files = {
            f"site-packages/{name}": File(archive.read(name))
            for name in archive.namelist()
            if not name.endswith("/")
        }
    return Package(
        "pip",
        wheel.name.split("-")[1],
        "pyh_0",
        depends=("python",),
        files=files,
        entry_points=("pip = pip._internal.cli.main:main", "pip3 = pip._internal.cli.main:main"),
        subdir="noarch",
    )


def the_python(interpreter: Interpreter) -> Package:
    """A Python of this machine as a package: its program, its standard library, and the libraries it is linked with."""
    ask = "import json, sys, sysconfig; print(json.dumps([sys.base_prefix, sysconfig.get_path('stdlib')]))"
    said = subprocess.run([interpreter.path, "-c", ask], capture_output=True, text=True, check=True)
    prefix, library = (Path(path) for path in json.loads(said.stdout))
    name = "python{}.{}".format(*interpreter.minor)
    if library != prefix / "lib" / name:
        pytest.skip(f"{interpreter.path} cannot be packaged: its library is not below its prefix")
    files = {f"bin/{name}": File(interpreter.path.read_bytes(), 0o755)}
    files |= {
        f"lib/{path.name}": File(path.read_bytes(), 0o755)
        for path in (prefix / "lib").glob("libpython*.so*")
        if path.is_file()
    }
    for path in sorted(library.rglob("*")):
        inside = path.relative_to(library)
        left_out = any(part in _LEFT_OUT or part.startswith("config-") for part in inside.parts)
        if path.is_file() and not left_out and not path.name.endswith((".a", ".opt-1.pyc", ".opt-2.pyc")):
            mode = 0o755 if path.suffix == ".so" else 0o644
            # Bytecode is good for a file of one date.
            files[f"lib/{name}/{inside}"] = File(path.read_bytes(), mode, int(path.stat().st_mtime))
    said_where = File(f"{PLACEHOLDER}/share\n".encode(), has_placeholder=True)
    return Package(
        "python",
        interpreter.version,
        f"h0_0_cp{interpreter.minor[0]}{interpreter.minor[1]}",
        files={**files, f"lib/{name}/site-packages/README.txt": File(b"\n"), "share/where.txt": said_where},
        links={"bin/python": name, "bin/python3": name},
    )


def write_channel(folder: Path, packages: Iterable[Package]) -> Path:
    """Put the packages and both `repodata.json` there; what the channel had is no longer in it."""
    repodata = {subdir: _empty_repodata(subdir) for subdir in (SUBDIR, "noarch")}
    for package in packages:
        path = folder / package.subdir / package.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = _tar_bz2(package) if package.old_format else _conda(package)
        path.write_bytes(content)
        record = {
            **_index(package),
            "size": len(content),
            "md5": hashlib.md5(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        key = "packages" if package.old_format else "packages.conda"
        repodata[package.subdir][key][package.file_name] = record
    for subdir, content in repodata.items():
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        (folder / subdir / "repodata.json").write_text(json.dumps(content))
    return folder


def _empty_repodata(subdir: str) -> dict[str, dict[str, object]]:
    return {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}}


def _index(package: Package) -> dict[str, object]:
    index: dict[str, object] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": package.number,
        "depends": list(package.depends),
        "subdir": package.subdir,
        "timestamp": 1_600_000_000_000,
        "license": "MIT",
    }
    return index if package.entry_points is None else {**index, "noarch": "python"}


def _info_files(package: Package) -> dict[str, File]:
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(file.content).hexdigest(),
            "size_in_bytes": len(file.content),
            **({"prefix_placeholder": PLACEHOLDER, "file_mode": "text"} if file.has_placeholder else {}),
        }
        for path, file in package.files.items()
    ]
    paths += [{"_path": path, "path_type": "softlink"} for path in package.links]
    info: dict[str, object] = {
        "index.json": _index(package),
        "paths.json": {"paths": paths, "paths_version": 1},
        "about.json": {"summary": package.name},
    }
    if package.entry_points is not None:
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        info["link.json"] = {"noarch": noarch, "package_metadata_version": 1}
    files = {f"info/{name}": File(json.dumps(content).encode()) for name, content in info.items()}
    listed = "".join(f"{path}\n" for path in (*package.files, *package.links))
    with_prefix = "".join(
        f"{PLACEHOLDER} text {path}\n" for path, file in package.files.items() if file.has_placeholder
    )
    files["info/files"] = File(listed.encode())
    return {**files, "info/has_prefix": File(with_prefix.encode())} if with_prefix else files


def _tar(files: Mapping[str, File], links: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, file in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(file.content), file.mode, file.changed
            archive.addfile(entry, io.BytesIO(file.content))
        for path, target in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return stream.getvalue()


def _tar_bz2(package: Package) -> bytes:
    return bz2.compress(_tar({**_info_files(package), **package.files}, package.links), 1)


def _conda(package: Package) -> bytes:
    stem = package.file_name.removesuffix(".conda")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        archive.writestr(f"pkg-{stem}.tar.zst", _zstd(_tar(package.files, package.links)))
        archive.writestr(f"info-{stem}.tar.zst", _zstd(_tar(_info_files(package), {})))
    return stream.getvalue()


def _zstd(content: bytes) -> bytes:
    """A Zstandard frame of raw blocks: nothing is made smaller, and nothing is needed to make it."""
    blocks = [content[at : at + _ZSTD_BLOCK] for at in range(0, len(content), _ZSTD_BLOCK)] or [b""]
    framed = bytearray(_ZSTD_MAGIC + b"\x00\x58")  # a window of 2 MiB, no size, no checksum
    for index, block in enumerate(blocks):
        header = len(block) << 3 | (index == len(blocks) - 1)
        framed += header.to_bytes(3, "little") + block
    return bytes(framed)
