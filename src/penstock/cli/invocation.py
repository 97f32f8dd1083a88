"""What a command is given, and what it may give back."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.cli import defaults
from penstock.cli.program import speaks_as_az, spoken
from penstock.errors import PenstockError
from penstock.settings import Home, setting

if TYPE_CHECKING:
    from penstock.client.client import Client

# What Azure ML's command line shows of the machine it runs on, and the one workspace that every home has.
DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True)
class Outcome:
    """A result with more to it than the record: a text for people, or an exit code other than 0.

    The text is printed where neither `-o` nor `--query` asks for the record.
    """

    record: object = None
    text: str | None = None
    exit_code: int = 0


@dataclass
class Invocation:
    """One run of one command: its flags, its defaults, and the way to the server.

    `say` and `warn` write to stderr; nothing but the result may be written to stdout.
    """

    arguments: argparse.Namespace
    full_name: str
    words: Sequence[str] = ()
    home: Home = field(default_factory=Home.from_environment)

    @cached_property
    def defaults(self) -> Mapping[str, str]:
        """What `penstock configure` has set; where `az` was typed, its variables before that."""
        kept = defaults.read(self.home)
        return {**kept, **defaults.of_azure(os.environ)} if speaks_as_az() else kept

    @property
    def workspace(self) -> str:
        """From `-w`, PENSTOCK_WORKSPACE, `penstock configure`, in this order; `default` otherwise."""
        return (
            self.arguments.workspace_name
            or setting("PENSTOCK_WORKSPACE")
            or self.defaults.get("workspace")
            or DEFAULT_WORKSPACE
        )

    @property
    def resource_group(self) -> str | None:
        """From `-g` or `penstock configure`."""
        given: str | None = self.arguments.resource_group
        return given or self.defaults.get("group")

    @cached_property
    def client(self) -> "Client":
        """The way to the server, which is started when the first request finds none."""
        from penstock.client.client import Client

        return Client.connect(
            workspace=self.workspace,
            home=self.home,
            say=self.say,
            trace=self.trace if self.arguments.debug else None,
            settings={"environments": {"relax": True}} if self.get("relax") else None,
        )

    def close(self) -> None:
        """Give back what the command has used."""
        if "client" in self.__dict__:  # only one that was made: asking for it would make one
            self.client.close()

    def get(self, name: str) -> Any:  # Any: whatever the flag's converter made
        """The value of a flag, None where the command has no such flag."""
        return getattr(self.arguments, name, None)

    def say(self, text: str) -> None:
        """Talk: progress and notices, on stderr."""
        if not self.arguments.only_show_errors:
            write_error(spoken(text) + "\n")

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        from penstock.cli.problems import paint

        self.say(f"{paint('warning:', 'yellow')} {text}")

    def trace(self, text: str) -> None:
        """What `--debug` shows."""
        write_error(f"debug: {text}\n")


def write_error(text: str) -> None:
    """Write to stderr whatever its encoding; a closed stderr is no reason to fail."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(_encodable(text, stream.encoding))
        stream.flush()
    except (BrokenPipeError, ValueError):
        # Nobody is listening: ValueError is a stream that was closed. The result matters, the talk does not.
        return


def write_result(text: str) -> None:
    """Write to stdout whatever its encoding. BrokenPipeError passes through: the caller ends quietly."""
    stream = sys.stdout
    if stream is None:
        return
    try:
        stream.write(_encodable(text, stream.encoding))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk behind `> file`
        let_go_of_stdout()
        raise PenstockError(
            f"the result cannot be written: {error.strerror}", details=("what the command does is done",)
        ) from error


def let_go_of_stdout() -> None:
    """What is still to be written goes nowhere, so that Python's own farewell flush is quiet and keeps the exit code."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())
    os.close(quiet)


def _encodable(text: str, encoding: str | None) -> str:
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
