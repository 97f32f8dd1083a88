"""Where Penstock keeps its state, and every setting that it reads: name, type, default, meaning."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError

# A unix socket's path must fit into sockaddr_un: 104 bytes on macOS, 108 on Linux, with the closing NUL.
_LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class Setting:
    """One setting: an environment variable, its default as text, and what it does."""

    variable: str
    default: str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("PENSTOCK_HOME", "~/.penstock", "Folder that holds all state: database, artifacts, environments, logs."),
    Setting("PENSTOCK_SERVER", "", "URL of a team server; empty means the embedded server on a unix socket."),
    Setting("PENSTOCK_TOKEN", "", "Token for PENSTOCK_SERVER."),
    Setting("PENSTOCK_WORKSPACE", "", "Workspace used where no -w is given; `penstock configure` sets it for good."),
    Setting("PENSTOCK_PROJECT_ROOT", "", "Folder that a file's local paths must stay inside; found when empty."),
    Setting("PENSTOCK_LOG_LIMIT_MB", "256", "A step's log keeps its first and last half of this many MiB."),
    Setting("PENSTOCK_PYTHON", "exact", "`nearest` allows the nearest Python where the asked one is absent."),
    Setting("PENSTOCK_PYTHONS", "", "Pythons that environments may have, and no other: interpreters, or folders that hold some, separated like PATH."),
    Setting("PENSTOCK_DOWNLOAD_LIMIT_MB", "10240", "Files at addresses that are larger, in MiB, are refused; 0 means none is."),
    Setting("PENSTOCK_URL_MAP", "", "File that says which local path stands for which address; over a workspace's `url_map`."),
    Setting("PENSTOCK_ENVIRONMENT_MAP", "", "File that says which environment stands for which curated name; over a workspace's `environment_map`."),
    Setting("PENSTOCK_RELAX", "", "`1` or `0`: whether the nearest installable packages are taken where the asked ones cannot be; over a workspace's `environments.relax`, under `--relax`."),
    Setting("PENSTOCK_CONDA_PACKAGES", "", "`pypi` (the default) or `conda`: where the packages of conda files come from; over a workspace's `environments.conda_packages`."),
    Setting("PENSTOCK_CONTAINERS", "auto", "`auto`: steps run in a container where their Dockerfile cannot be a venv and podman or docker answers; `always`: wherever there is an image; `never`."),
    Setting("PENSTOCK_IDLE_MINUTES", "0", "The embedded server stops after this many idle minutes; 0 means never."),
)  # fmt: skip


# Settings of a workspace that a variable of whoever types the command overrides; each is the path of a file.
WORKSPACE_SETTINGS: Mapping[str, str] = {
    "url_map": "PENSTOCK_URL_MAP",
    "environment_map": "PENSTOCK_ENVIRONMENT_MAP",
}
# The same of those that lie under `environments` and name no file.
RELAX = "PENSTOCK_RELAX"
CONDA_PACKAGES = "PENSTOCK_CONDA_PACKAGES"

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


def setting(variable: str, environ: Mapping[str, str] | None = None) -> str:
    """The value of a setting of the table, from the environment or its default."""
    known = {entry.variable: entry.default for entry in SETTINGS}
    source = os.environ if environ is None else environ
    return source.get(variable) or known[variable]


def number_setting(variable: str, environ: Mapping[str, str] | None = None) -> float:
    """The value of a setting that is a number, 0 or more; PenstockError names the variable where it is none."""
    text = setting(variable, environ)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        default = next(entry.default for entry in SETTINGS if entry.variable == variable)
        raise PenstockError(
            f"{variable} is `{text}`, which is not a number from 0 upwards",
            hint=f"set it to a number such as {default}, or unset it",
        )
    return value


def flag_setting(variable: str, environ: Mapping[str, str] | None = None) -> bool | None:
    """The value of a setting that is yes or no; None where it is not set. PenstockError names the variable otherwise."""
    text = setting(variable, environ).strip().lower()
    if text and text not in (*_YES, *_NO):
        raise PenstockError(
            f"{variable} is `{text}`, which is neither yes nor no",
            hint=f"set it to one of {', '.join(_YES)} or {', '.join(_NO)}, or unset it",
        )
    return text in _YES if text else None


def choice_setting(
    variable: str, choices: Sequence[str], environ: Mapping[str, str] | None = None
) -> str | None:
    """The value of a setting that is one of some words; None where it is not set. PenstockError as above."""
    text = setting(variable, environ).strip().lower()
    if text and text not in choices:
        raise PenstockError(
            f"{variable} is `{text}`, which means nothing",
            hint=f"set it to {' or '.join(f'`{each}`' for each in choices)}, or unset it",
        )
    return text or None


# Any: a JSON value.
def workspace_settings(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The workspace settings that the environment overrides, with absolute paths: they travel with a request.

    The server may have been started by an earlier command, somewhere else, with other variables. Raises PenstockError
    for a variable that means nothing.
    """
    given = {name: setting(variable, environ) for name, variable in WORKSPACE_SETTINGS.items()}
    files = {name: absolute(text, Path.cwd()) for name, text in given.items() if text}
    environments = {
        "relax": flag_setting(RELAX, environ),
        "conda_packages": choice_setting(CONDA_PACKAGES, ("pypi", "conda"), environ),
    }
    said = {name: value for name, value in environments.items() if value is not None}
    return {**files, **({"environments": said} if said else {})}


def merged_settings(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a workspace, `given` counting before them; those under `environments` one by one."""
    both = {**settings, **given}
    environments = {**settings.get("environments", {}), **given.get("environments", {})}
    return {**both, "environments": environments} if environments else both


def absolute(text: str, folder: Path) -> str:
    """The path of a setting, `~` and `..` worked out, relative ones from `folder`."""
    return os.path.normpath(folder / os.path.expanduser(text))


@dataclass(frozen=True)
class Home:
    """The layout of the folder that holds all state. Pure: it creates nothing.

    `plain_path` is another name of the same folder, for what ends up in a step's command.
    """

    path: Path
    plain_path: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Home":
        """The home that `PENSTOCK_HOME` names, `~/.penstock` otherwise."""
        return cls(Path(os.path.abspath(os.path.expanduser(setting("PENSTOCK_HOME", environ)))))

    def plainly(self, path: Path) -> Path:
        """The same file or folder by a name that a shell command can hold without quotes, where there is one."""
        if self.plain_path is not None:
            for root in (self.path, self.path.resolve()):
                if path.is_relative_to(root):
                    return self.plain_path / path.relative_to(root)
        return path

    @property
    def database(self) -> Path:
        return self.path / "penstock.db"

    @property
    def artifacts(self) -> Path:
        """Bytes by digest: uploaded code, data and models."""
        return self.path / "artifacts"

    @property
    def checkouts(self) -> Path:
        """Snapshots laid out as folders, one per digest, read by steps."""
        return self.path / "checkouts"

    @property
    def environments(self) -> Path:
        return self.path / "environments"

    @property
    def downloads(self) -> Path:
        """What was downloaded from addresses, by the digest of the address."""
        return self.path / "downloads"

    @property
    def profiles(self) -> Path:
        """Profiles of data by what they are of: made anew where they are gone."""
        return self.path / "profiles"

    @property
    def mlflow(self) -> Path:
        return self.path / "mlflow"

    @property
    def server_log(self) -> Path:
        return self.path / "server.log"

    @property
    def server_lock(self) -> Path:
        """Held (flock) by the running server; its text is `{"pid", "started_at", "version"}` as JSON."""
        return self.path / "server.lock"

    @property
    def start_lock(self) -> Path:
        """Held (flock) by a client while it starts a server, so that two clients start one."""
        return self.path / "start.lock"

    @property
    def loopback_port(self) -> Path:
        """The loopback port as text: kept, so that running steps find MLflow again after a restart."""
        return self.path / "loopback.port"

    @property
    def secret(self) -> Path:
        """32 random bytes that sign tokens (mode 0600)."""
        return self.path / "secret.key"

    @property
    def reserve(self) -> Path:
        """Takes up a little room, which is given back when the disk is full and a status must be written."""
        return self.path / "reserve"

    @property
    def config(self) -> Path:
        """What `penstock configure` and the `az` shim keep (JSON)."""
        return self.path / "config.json"

    @property
    def config_lock(self) -> Path:
        """Held (flock) by whoever changes the config file."""
        return self.path / "config.lock"

    @property
    def az_shim(self) -> Path:
        """The `az` that `penstock az-shim` writes, alone in its folder: the folder goes on PATH."""
        return self.path / "shim" / "az"

    @property
    def socket(self) -> Path:
        """The server's unix socket; in a short private folder where the home's own path is too long for one."""
        wanted = self.path / "server.sock"
        if len(os.fsencode(wanted)) <= _LONGEST_SOCKET_PATH:
            return wanted
        return private_folder(self.path) / "server.sock"

    def workspace(self, name: str) -> Path:
        return self.path / "workspaces" / name

    def registry(self, name: str) -> Path:
        return self.path / "registries" / name

    def scope(self, scope: str) -> Path:
        """The folder of what a workspace, or a registry, keeps for itself."""
        registry = scope.removeprefix(
            "registry:"
        )  # as `resources/scope.py` writes it, which may not be imported
        return self.workspace(scope) if registry == scope else self.registry(registry)

    def datastore(self, scope: str, name: str) -> Path:
        """The local folder behind `azureml://datastores/<name>/paths/` of a workspace; a registry's data lies so too."""
        return self.scope(scope) / "datastores" / name

    def job(self, workspace: str, name: str) -> Path:
        """A job's run folder: working folder, logs, and the worker's files."""
        return self.workspace(workspace) / "jobs" / name


def private_folder(home: Path) -> Path:
    """A folder with a short and plain name that belongs to one home: for what cannot live under the home's own path."""
    import hashlib  # here, for together they would cost every command 7 ms
    import tempfile

    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}-{name}"
