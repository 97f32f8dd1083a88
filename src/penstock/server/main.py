"""One server process: take the home's lock, open the doors, run the engine, and leave in order."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import penstock
from penstock.errors import PenstockError, ServerUnavailable
from penstock.settings import Home, number_setting, private_folder

_log = logging.getLogger("penstock.server")

# Seconds that open requests get to end once the server was told to stop. A stream is resumed by its client.
_GRACE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop. Returns the exit code; what went wrong is on standard error."""
    arguments = _arguments(argv)
    _set_up_logging()
    home = Home.from_environment()
    try:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _hold(home)
        serve(home, arguments.host, arguments.port)
    except PenstockError as error:
        print(f"error: {error.message}", *error.details, file=sys.stderr, sep="\n  ")
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"error: the server cannot run in {home.path}: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="penstock server start --foreground", description=__doc__)
    parser.add_argument(
        "--host", help="address to listen on, besides the unix socket (every request needs a token)"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on; one is chosen where none is given"
    )
    return parser.parse_args(argv)


def _set_up_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.Formatter.converter = time.gmtime


def _hold(home: Home) -> None:
    """Hold the home for as long as this process lives: its threads may still work there when `main` has returned."""
    descriptor = os.open(home.server_lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 1000, 0).decode().strip()
        os.close(descriptor)
        raise ServerUnavailable(
            f"another server runs in {home.path}: {holder}",
            hint="use it, or stop it with `penstock server stop`",
        ) from error
    facts = {"pid": os.getpid(), "started_at": time.time(), "version": penstock.__version__}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(facts).encode(), 0)


def serve(home: Home, host: str | None, port: int) -> None:
    """Open the doors and serve until SIGTERM or SIGINT."""
    from penstock.server.loops import IdleWatch, run_engine
    from penstock.server.plain_path import with_plain_path
    from penstock.server.sockets import open_loopback_port, open_port, open_unix_socket
    from penstock.server.verbs.data_facts import resume
    from penstock.server.wiring import build_platform

    idle_seconds = number_setting("PENSTOCK_IDLE_MINUTES") * 60
    tcp = open_port(host, port) if host else open_loopback_port(home)
    address = tcp.getsockname()
    shown = f"127.0.0.1:{address[1]}" if host in (None, "0.0.0.0", "::") else f"{host}:{address[1]}"  # noqa: S104
    platform, rest = build_platform(with_plain_path(home), f"http://{shown}")
    unix = open_unix_socket(home.socket)
    _log.info("penstock %s serves %s on %s and %s", penstock.__version__, home.path, home.socket, shown)
    stop = threading.Event()
    engine = threading.Thread(target=run_engine, args=(platform.engine, stop), name="engine", daemon=True)
    engine.start()
    resume(platform)
    idle = IdleWatch(platform, idle_seconds)
    try:
        asyncio.run(_serve(platform, rest, unix, tcp, idle, host))
    finally:
        stop.set()
        platform.engine.stop_waiting()
        platform.background.stop()
        engine.join(timeout=10)
        platform.mlflow.stop()
        rest.close()
        with platform.database.reading() as tx:
            steps_go_on = bool(tx.jobs.open_roots())
        platform.database.close()
        _tidy(home, platform.mlflow.socket, steps_go_on=steps_go_on)
        _log.info("stopped")


def _tidy(home: Home, mlflow_socket: Path, *, steps_go_on: bool) -> None:
    """What lies outside the home goes with the server; but steps that go on may need the link to a home with blanks."""
    home.socket.unlink(missing_ok=True)
    mlflow_socket.unlink(missing_ok=True)
    short = private_folder(home.path)
    if not steps_go_on:
        (short / "home").unlink(missing_ok=True)
    for folder in (short, mlflow_socket.parent):
        if not folder.is_relative_to(home.path):
            with contextlib.suppress(OSError):  # it is not there, or somebody still needs what is in it
                folder.rmdir()


async def _serve(
    platform: Any, rest: Any, unix: socket.socket, tcp: socket.socket, idle: Any, host: str | None
) -> None:
    import uvicorn

    from penstock.server.api import build_api
    from penstock.server.doors import loopback_door, owner_door

    class Door(uvicorn.Server):
        """A uvicorn server that leaves signals to us: there are two of them in one process."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    def door(app: Any) -> Door:
        return Door(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_GRACE,
                server_header=False,
                loop="uvloop",
                http="httptools",
            )
        )

    api = build_api(platform)
    owner = door(idle.watching(owner_door(api)))
    loopback = door(idle.watching(loopback_door(api, platform, rest, host)))
    loop = asyncio.get_running_loop()

    def leave() -> None:
        owner.should_exit = loopback.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    watch = asyncio.ensure_future(idle.until_idle(leave))
    try:
        await asyncio.gather(owner.serve([unix]), loopback.serve([tcp]))
    finally:
        watch.cancel()
