"""A package index without a network: a folder of tiny wheels, and pip from the interpreters' own `ensurepip`."""

import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from penstock.environments.environments import Environments
from penstock.environments.interpreters import Interpreter, Interpreters


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: tuple[str, ...] = (),
    files: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
    extras: tuple[str, ...] = (),
) -> Path:
    """A wheel that pip and uv install: by default one module of the package's name with its version in it.

    `tag` says which Pythons it is for, such as `cp311-none-any`; `requires` may name `extras`.
    """
    module = name.replace("-", "_")
    info, stuff = f"{module}-{version}.dist-info", f"{module}-{version}.data/data"
    content = dict(files if files is not None else {f"{module}.py": f"version = {version!r}\n"})
    content |= {f"{stuff}/{path}": text for path, text in (data or {}).items()}
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    needs += "".join(f"Provides-Extra: {one}\n" for one in extras)
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if scripts:
        lines = "".join(f"{command} = {target}\n" for command, target in scripts.items())
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in content.items():
            archive.writestr(file, text)
    return path


_BACKEND = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    {before}
    info = "{module}-{version}.dist-info"
    name = "{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        wheel.writestr("{module}.py", "version = '{version}'")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.2\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "{module}.py,,\\n")
    return name
"""


def make_sdist(folder: Path, name: str, version: str, *, fails: bool = False) -> Path:
    """A package that comes as source alone, with a build backend of its own; one that `fails` ends with an error."""
    module = name.replace("-", "_")
    before = "raise RuntimeError('this needs a compiler')" if fails else ""
    root = f"{module}-{version}"
    content = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND.format(name=name, module=module, version=version, before=before),
    }
    path = folder / f"{root}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in content.items():
            entry = tarfile.TarInfo(f"{root}/{file}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Pythons of this machine answered when they were asked once."""
    path = tmp_path_factory.mktemp("pythons") / "interpreters.json"
    Interpreters(path, os.environ).found()
    return path


@pytest.fixture(scope="session")
def present(memory: Path) -> tuple[Interpreter, ...]:
    """Every Python of this machine."""
    return Interpreters(memory, os.environ).found()


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory, present: tuple[Interpreter, ...]) -> Path:
    """The index: pip as it comes with Python, stand-ins for what every environment has, and packages to play with."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    for interpreter in present:
        ask = "import ensurepip, glob, os; print(*glob.glob(os.path.dirname(ensurepip.__file__) + '/_bundled/pip-*.whl'))"
        answer = subprocess.run([interpreter.path, "-c", ask], capture_output=True, text=True, check=False)
        for bundled in answer.stdout.split():
            (folder / Path(bundled).name).write_bytes(Path(bundled).read_bytes())
    if not list(folder.iterdir()):
        pytest.skip("no Python of this machine has ensurepip")
    for name, version in (
        ("setuptools", "59.8"),
        ("setuptools", "80.0"),
        ("wheel", "0.45"),
        ("alpha", "1.0"),
        ("beta", "1.0"),
        ("beta", "2.0"),
    ):
        make_wheel(folder, name, version)
    make_wheel(folder, "alpha", "2.0", requires=("beta>=2",))
    make_wheel(
        folder,
        "speaker",
        "1.0",
        files={"speaker.py": "import beta\n\ndef main():\n    print('speaker with beta', beta.version)\n"},
        scripts={"speak": "speaker:main"},
        requires=("beta",),
        data={"share/speaker/words.txt": "hello\n"},
    )
    for version in ("2.9.2", "3.13.0", "3.14.0"):
        make_wheel(folder, "mlflow", version)
        make_wheel(folder, "mlflow-skinny", version)
    make_wheel(folder, "modern", "1.0", requires=("setuptools>=61",))
    make_wheel(folder, "azureml-mlflow", "1.0", requires=("mlflow-skinny",))
    for name, version in (
        ("scikit-learn", "1.0"),
        ("scikit-learn", "1.5"),
        ("numpy", "1.23.5"),
        ("numpy", "2.1"),
    ):
        make_wheel(folder, name, version)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of uv for all tests, as a user who has set UV_CACHE_DIR has it."""
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def environ(wheelhouse: Path, tmp_path: Path, cache: Path) -> dict[str, str]:
    """The server's variables: this machine's, with pip pointed at the wheelhouse and nothing else."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PENSTOCK_"))
    }
    return {
        **ours,
        "XDG_CONFIG_HOME": str(tmp_path / "no-configuration"),
        "UV_CACHE_DIR": str(cache),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheelhouse),
    }


@pytest.fixture
def environments(tmp_path: Path, environ: dict[str, str], memory: Path) -> Environments:
    """The room over a folder that knows the machine's Pythons and nothing else."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / memory.name).write_bytes(memory.read_bytes())
    return Environments(tmp_path / "environments", environ=environ)


@pytest.fixture
def say() -> Callable[[str], None]:
    """Nobody listens."""
    return lambda _: None
