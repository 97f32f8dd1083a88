"""The two doors of a server: the unix socket for the command line, one TCP port for everything else."""

import contextlib
import os
import socket
from pathlib import Path

from penstock.errors import ServerUnavailable
from penstock.settings import Home

_BACKLOG = 256


def open_unix_socket(path: Path) -> socket.socket:
    """Listen on a socket that only its owner may use. Call it with the server's lock held: what lies there is stale."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.parent.stat().st_uid != os.getuid():
        raise ServerUnavailable(
            f"the folder {path.parent} belongs to another user",
            hint="set PENSTOCK_HOME to a folder of your own",
        )
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the socket is private from the moment it exists, not from a chmod later
    try:
        door.bind(str(path))
    finally:
        os.umask(before)
    door.listen(_BACKLOG)
    return door


def open_loopback_port(home: Home) -> socket.socket:
    """Listen on a port of 127.0.0.1: the one that this home had before where it is free, so that running steps that
    log to MLflow find it again after a restart."""
    for port in (_remembered(home), 0):
        if port is None:
            continue
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            door.close()
            continue
        door.listen(_BACKLOG)
        home.loopback_port.write_text(f"{door.getsockname()[1]}\n")
        return door
    raise ServerUnavailable(
        "no port of 127.0.0.1 can be opened", hint="see the limits of open files and sockets"
    )


def open_port(host: str, port: int) -> socket.socket:
    """Listen where the user asked for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise ServerUnavailable(
            f"cannot listen on {host} port {port}: {error.strerror}", hint="choose another --host or --port"
        ) from error
    door.listen(_BACKLOG)
    return door


def _remembered(home: Home) -> int | None:
    try:
        return int(home.loopback_port.read_text())
    except (FileNotFoundError, ValueError):
        return None
