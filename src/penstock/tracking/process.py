"""The MLflow server's own process: `python -m penstock.tracking.process FOLDER SOCKET LOG PARENT_PID`.

Promises to whoever starts it: one process, one private unix socket, never two on one folder (a file lock that the
kernel drops when the process ends), a log of bounded size, and an end within seconds of its parent's end.

The private variables are those of the pinned MLflow release: its own command sets the same ones, but starts a second
process (200 MB), listens on a port, and cannot be told to end with its parent.
"""

import fcntl
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

# Seconds between looks at the parent and at the log's size.
_LOOK_EVERY = 1.0
# Bytes. The newest quarter is kept when the log grows past it.
_LONGEST_LOG = 8 * 1024 * 1024
# A model version comes from a run, a logged model or another version of this server, never from elsewhere; the two
# words are what MLflow writes for prompts, which have no files.
_SOURCES = r"^(runs:/|models:/|mlflow-artifacts:/|(dummy-source|prompt-template)$)"
# Seconds that a request may still take once the end was asked for.
_GRACE = 3


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM, or until the parent is gone."""
    folder, socket_path, log, parent = (
        Path(arguments[0]),
        Path(arguments[1]),
        Path(arguments[2]),
        int(arguments[3]),
    )
    os.umask(0o077)
    lock = hold(folder)
    threading.Thread(target=_watch, args=(parent, log), name="penstock-watch", daemon=True).start()
    configure(folder)
    serve(listen(socket_path))
    os.close(lock)


def hold(folder: Path) -> int:
    """The lock on the folder, with this process's id in it; ends the process where another one has it."""
    descriptor = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another MLflow server works on {folder}")
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps({"pid": os.getpid(), "started_at": time.time()}).encode())
    return descriptor


def configure(folder: Path) -> None:
    """Tell MLflow, through its environment, where its database and its artifacts are. Before its first import."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    database = f"sqlite:///{folder / 'mlflow.db'}"
    for variable in [name for name in os.environ if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        del os.environ[variable]  # whatever the user set for clients is not meant for this server
    os.environ.update(
        {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_ENABLE_WORKSPACES": "true",
            # One for each thread that MLflow answers with: fifteen, its default, run out under load.
            "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "40",
            "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": _SOURCES,
            "_MLFLOW_SERVER_FILE_STORE": database,
            "_MLFLOW_SERVER_REGISTRY_STORE": database,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts.as_uri(),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SGI_NAME": "uvicorn",
        }
    )


def listen(path: Path) -> socket.socket:
    """A listening socket that only this user can open. (Uvicorn would bind it for everybody: mode 0666.)"""
    path.unlink(missing_ok=True)  # safe: the lock says that nobody serves on it
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


def serve(listener: socket.socket) -> None:
    """MLflow's own application; its database is created or migrated first, so that `ready` means ready."""
    from mlflow.server.handlers import initialize_backend_stores

    database = os.environ["_MLFLOW_SERVER_FILE_STORE"]
    initialize_backend_stores(database, database, os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"])
    write_ahead(Path(database.removeprefix("sqlite:///")))

    import uvicorn
    from mlflow.server.fastapi_app import app

    config = uvicorn.Config(
        app,
        workers=1,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(config).run(sockets=[listener])


def write_ahead(database: Path) -> None:
    """Let readers of the database go on while somebody writes; the file remembers. MLflow leaves it as SQLite's default."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _watch(parent: int, log: Path) -> None:
    """End this process when its parent has ended, and keep the log within bounds."""
    while os.getppid() == parent:
        cut_log(log, _LONGEST_LOG)
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE + 5)
    os._exit(1)  # a request that never ends, or a start that ignored the signal


def cut_log(log: Path, longest: int) -> None:
    """Keep the newest quarter of a log that outgrew `longest` bytes. Its writers append, so they need not know."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return
    if size <= longest:
        return
    with log.open("rb+") as file:
        file.seek(size - longest // 4)
        newest = file.read().split(b"\n", 1)[-1]
        file.seek(0)
        file.write(b"... older lines were cut ...\n" + newest)
        file.truncate()


if __name__ == "__main__":
    main(sys.argv[1:])
