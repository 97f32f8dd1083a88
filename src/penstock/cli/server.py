"""`penstock server`: start, stop and look at the server. Other commands start the embedded one by themselves."""

import os
import sys
import time
from typing import Any

from penstock.cli.grammar import Argument, Command, Example, whole_number
from penstock.cli.invocation import Invocation, Outcome, write_result
from penstock.errors import PenstockError
from penstock.settings import setting

# Seconds between two looks at the log with --follow.
_LOG_PAUSE = 0.2


def _start(invocation: Invocation) -> object:
    from penstock.client import starting

    arguments, home = invocation.arguments, invocation.home
    _refuse_remote("start")
    more: list[str] = []
    if arguments.host:
        more += ["--host", arguments.host]
    if arguments.port is not None:
        more += ["--port", str(arguments.port)]
    if arguments.foreground:
        if starting.is_running(home):
            raise PenstockError(
                f"a server is running already (process {starting.running_pid(home)})",
                hint="penstock server stop",
            )
        starting.make_home(home)
        sys.stdout.flush()
        os.chdir(home.path)
        command = starting.command_line(*more)
        # The server takes this process's place: signals, and a supervisor's view of it, need no go-between.
        os.execve(command[0], command, starting.environment_of(home))  # noqa: S606
    if more and starting.is_running(home):
        raise PenstockError(
            "a server is running already, and --host and --port are for a new one",
            hint="penstock server stop",
        )
    starting.ensure_server(home, *more)
    return _status(invocation)


def _stop(invocation: Invocation) -> None:
    from penstock.client import starting

    _refuse_remote("stop")
    if starting.stop_server(invocation.home):
        invocation.say(
            "stopped the server; steps that run go on, and the next command starts a server that adopts them"
        )
    else:
        invocation.say("no server was running")


def _status(invocation: Invocation) -> object:
    record = status_record(invocation)
    state = (
        f"running, process {record.get('pid')}, version {record.get('version')}"
        if record["running"]
        else "not running"
    )
    lines = [f"server  {state}", f"socket  {invocation.home.socket}", f"log     {invocation.home.server_log}"]
    return Outcome(record, text="\n".join(lines) + "\n")


def status_record(invocation: Invocation) -> dict[str, Any]:  # Any: a JSON record
    """The server's status with `running`; of a server that does not run, only where it would be. Starts none."""
    if not setting("PENSTOCK_SERVER"):
        from penstock.client import starting

        home = invocation.home
        if starting.health(home) is None:
            answers = {"running": False, "home": str(home.path), "socket": str(home.socket)}
            if starting.is_running(home):
                raise PenstockError(
                    f"the server (process {starting.running_pid(home)}) runs and does not answer",
                    details=starting.log_tail(home),
                    hint="it may be starting; `penstock server stop` ends it",
                )
            return answers
    return {"running": True, **invocation.client.server.status()}


def _logs(invocation: Invocation) -> None:
    from penstock.client import starting

    _refuse_remote("logs")
    log = invocation.home.server_log
    if not log.exists():
        raise PenstockError(f"there is no log yet: {log}", hint="no server has run in this home")
    lines = invocation.arguments.lines
    # The place is taken before the tail is read: a line written in between is shown twice rather than never.
    place = log.stat().st_size
    write_result(
        "".join(f"{line}\n" for line in starting.log_tail(invocation.home, 200 if lines is None else lines))
    )
    while invocation.arguments.follow:
        size = log.stat().st_size if log.exists() else 0
        if size < place:
            place = 0  # the log was put aside and begun anew
        if size > place:
            with open(log, "rb") as stream:
                stream.seek(place)
                text = stream.read()
            place += len(text)
            write_result(text.decode("utf-8", "replace"))
        time.sleep(_LOG_PAUSE)


def _refuse_remote(what: str) -> None:
    url = setting("PENSTOCK_SERVER")
    if url:
        raise PenstockError(
            f"`penstock server {what}` is for the server of this machine, and PENSTOCK_SERVER names {url}",
            hint="unset PENSTOCK_SERVER",
        )


COMMANDS = (
    Command(
        name="start",
        summary="Start the server.",
        description=(
            "Other commands start the embedded server by themselves. With --host and --port it can be reached over the"
            " network; every request needs a token then."
        ),
        arguments=(
            Argument(("--host",), "Address to listen on, beside the socket.", metavar="ADDRESS"),
            Argument(("--port",), "Port to listen on.", convert=whole_number, metavar="NUMBER"),
            Argument(("--foreground",), "Stay in this terminal; Ctrl-C stops it.", takes="nothing"),
        ),
        examples=(
            Example("in the background", "penstock server start"),
            Example(
                "for a team, under a supervisor",
                "penstock server start --host 0.0.0.0 --port 8420 --foreground",
            ),
        ),
        run=_start,
    ),
    Command(
        name="stop",
        summary="Stop the server. Steps that run go on.",
        examples=(Example("stop it", "penstock server stop"),),
        run=_stop,
    ),
    Command(
        name="status",
        summary="Say whether the server runs. Starts none.",
        examples=(Example("is it up?", "penstock server status --query running -o tsv"),),
        run=_status,
    ),
    Command(
        name="logs",
        summary="Print the server's log.",
        arguments=(
            Argument(
                ("--lines", "-l"),
                "How many lines, counted from the end.",
                convert=whole_number,
                default="200",
                metavar="NUMBER",
            ),
            Argument(("--follow", "-f"), "Go on as lines are written.", takes="nothing"),
        ),
        examples=(
            Example("the end of it", "penstock server logs --lines 50"),
            Example("while something happens", "penstock server logs --follow"),
        ),
        run=_logs,
    ),
)
