"""A command in a container, as a command of the engine: what the small parent runs, and what it sees.

Nothing secret is in the arguments or on disk: variables are named there, and the engine's client takes their values from
its own environment, which reaches the small parent by a pipe. The container shares the machine's network, since the
tracking server listens on its loopback address, and its folders lie at the paths that the command knows.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from penstock.compute.engine import Engine

# What the engine's own client needs of the server's environment.
_OF_THE_CLIENT = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|(?i:https?_proxy|no_proxy|all_proxy)"
    r"|DOCKER_\w+|CONTAINER_\w+|CONTAINERS_\w+|REGISTRY_AUTH_FILE|LD_LIBRARY_PATH"
)
# What a step's environment says about this machine, and would be wrong inside of an image.
_OF_THE_MACHINE = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|XDG_\w+|LD_LIBRARY_PATH|DYLD_\w+|VIRTUAL_ENV|PYTHONPATH|TERM"
    r"|LANG|LANGUAGE|LC_\w+|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|PIP_CERT|PIP_CONFIG_FILE"
)


@dataclass(frozen=True)
class Mount:
    """A folder or file of the machine, at `target` in the container."""

    source: str
    target: str
    writable: bool = False

    def __str__(self) -> str:
        fields = ["type=bind", f"source={self.source}", f"target={self.target}"]
        return ",".join(_quoted(field) for field in [*fields, *([] if self.writable else ["readonly"])])


@dataclass(frozen=True)
class Container:
    """One container that runs one command. `variables` are its whole environment beside the image's own.

    `set_by_the_user` are names whose values are meant for the command even where the engine's client has them too.
    """

    name: str
    image: str
    command: str
    folder: str
    mounts: tuple[Mount, ...]
    variables: Mapping[str, str] = field(repr=False)
    set_by_the_user: frozenset[str] = frozenset()
    shm_size: str | None = None
    options: tuple[str, ...] = ()


def argv_of(engine: Engine, container: Container) -> tuple[str, ...]:
    """The engine's command. It ends when the command ends, with its exit code."""
    return (
        engine.program,
        "run",
        "--rm",
        "--name",
        container.name,
        "--label",
        "penstock=step",
        "--network",
        "host",
        "--log-driver",
        "none",
        "--security-opt",
        "label=disable",
        "--workdir",
        container.folder,
        *_as_the_user(engine),
        *(part for mount in container.mounts for part in ("--mount", str(mount))),
        *(part for name in _passed(container) for part in ("--env", name)),
        *(part for pair in _told(container) for part in ("--env", pair)),
        *(("--shm-size", container.shm_size) if container.shm_size else ()),
        *container.options,
        "--entrypoint",
        "/bin/bash",
        container.image,
        "-c",
        # One stream, in the order in which it was written: the engine would hand on two.
        'exec /bin/bash -c "$0" 2>&1',
        container.command,
    )


def client_environment(container: Container, environ: Mapping[str, str]) -> dict[str, str]:
    """What the engine's client is run with: its own settings, and the values of the container's variables."""
    own = {name: value for name, value in environ.items() if _OF_THE_CLIENT.fullmatch(name)}
    passed = {name: container.variables[name] for name in _passed(container) if name in container.variables}
    return {**own, **passed}


def of_a_container(variables: Mapping[str, str], set_by_the_user: frozenset[str]) -> dict[str, str]:
    """A step's variables without those that say where things lie on this machine."""
    return {
        name: value
        for name, value in variables.items()
        if name in set_by_the_user or not _OF_THE_MACHINE.fullmatch(name)
    }


def _passed(container: Container) -> list[str]:
    """Names whose values the client passes on from its own environment; the marker of the step is put there later."""
    names = [name for name in container.variables if not _OF_THE_CLIENT.fullmatch(name)]
    return [*names, "PENSTOCK_STEP"]


def _told(container: Container) -> list[str]:
    """Those that the client needs for itself: a PATH or a proxy, and nothing that is secret."""
    names = [name for name in container.variables if _OF_THE_CLIENT.fullmatch(name)]
    return [f"{name}={container.variables[name]}" for name in names]


def _as_the_user(engine: Engine) -> tuple[str, ...]:
    """What the command writes belongs to whoever runs the server."""
    if engine.name == "podman":
        return () if os.geteuid() == 0 else ("--userns", "keep-id")
    return ("--user", f"{os.geteuid()}:{os.getegid()}")


def _quoted(field: str) -> str:
    """A field of a mount as the engines read it: they are comma-separated values."""
    return '"' + field.replace('"', '""') + '"' if re.search(r'[",\n]', field) else field
