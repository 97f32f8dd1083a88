"""The processes of one distributed step: starts them all, keeps a log for each, ends the others when one fails.

It is the command of the small parent (`worker.py`), which holds the time limit, hears a cancel, ends whatever is left,
and writes the result; so all of that is the same for one process and for many. Like the small parent it runs in the
user's environment: standard library only, valid on Python 3.7 to 3.14, read from the same folder.

    PENSTOCK_GROUP        what is asked for, as JSON: how many ports, the grace, the limit of a log, the folder
    PENSTOCK_PROCESS_0 …  one process each, as JSON: its name, its log, its own variables
    processes.json        written at the end: how each of them ended

They are environment variables because the environment reaches us by a pipe: nothing of it touches the disk. The processes
do not see them. The first process is the primary one: what it prints is the step's own log. Where a variable's value says
`${port:0}`, a TCP port stands there that is free, and that no other group of this machine is given while this one lives.
"""
# No pathlib, no contextlib: importing them costs. strict= of zip came with Python 3.10.
# ruff: noqa: SIM105

import errno
import json
import os
import select
import signal
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from penstock.compute import worker  # the server reads the names below
else:
    import worker  # the user's interpreter runs this file: nothing but the two lies in the folder for it

SETTINGS = "PENSTOCK_GROUP"
PROCESS = "PENSTOCK_PROCESS_"
PORT = "${{port:{}}}"
RESULT = "processes.json"

# Below every system's range of ports for outgoing connections, so that none of those takes one; above what servers use.
FIRST_PORT, LAST_PORT = 20000, 29999
DRAIN_FOR = 1.0  # seconds that a process's last words have to arrive after its end
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


class Member:
    """One of the processes."""

    def __init__(self, description: "dict[str, object]") -> None:
        self.name = str(description["name"])
        self.log_path = str(description["log"])
        self.env = dict(description["env"])  # type: ignore[call-overload]
        self.until_others_end = bool(description["until_others_end"])
        self.pid = 0
        self.status = -1
        self.stopped = False
        self.reader = -1
        self.log: worker.Log | None = None

    @property
    def exit_code(self) -> int:
        """As a shell says it: 128 and the signal's number for one that a signal ended."""
        return 128 + os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else os.WEXITSTATUS(self.status)

    def record(self) -> "dict[str, object]":
        """How it ended, for the server."""
        number = os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None
        return {"name": self.name, "exit_code": self.exit_code, "signal": number, "stopped": self.stopped}


def reserve_ports(count: int) -> "tuple[list[int], list[socket.socket]]":
    """Free TCP ports, and what reserves them: the UDP ports of the same numbers, held for as long as we live.

    Nobody listens on a UDP port here, so it serves as the token of the TCP port, on every system and without a file; the
    kernel takes it back when we die.
    """
    ports: list[int] = []
    held: list[socket.socket] = []
    width = LAST_PORT - FIRST_PORT + 1
    begin = os.getpid() * 7919  # spread: groups that start together do not all ask for the same ones
    for offset in range(width):
        if len(ports) == count:
            break
        port = FIRST_PORT + (begin + offset) % width
        token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            token.bind(("127.0.0.1", port))
            for family, address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                _try_to_listen(family, address, port)
        except OSError:
            token.close()
            continue
        held.append(token)
        ports.append(port)
    if len(ports) < count:
        raise OSError(f"no {count} free ports between {FIRST_PORT} and {LAST_PORT}")
    return ports, held


def _try_to_listen(family: int, address: str, port: int) -> None:
    """Raises OSError where the port is taken, at any address: a rendezvous listens on all of them."""
    try:
        probe = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return  # this machine has no IPv6
    try:
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((address, port))
    except OSError as problem:
        if problem.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return  # IPv6 is switched off
        raise
    finally:
        probe.close()


class Group:
    """All processes of the step, from their start to the record of how they ended."""

    def __init__(self, environment: "dict[bytes, bytes]", argv: "list[str]") -> None:
        settings = json.loads(environment[SETTINGS.encode()].decode("ascii"))
        self.folder = str(settings["folder"])
        self.grace = float(settings["grace"])
        self.log_limit = int(settings["log_limit"])
        self.port_count = int(settings["ports"])
        self.argv = argv
        ours = SETTINGS.encode(), PROCESS.encode()
        self.environment = {name: value for name, value in environment.items() if not name.startswith(ours)}
        self.members: list[Member] = []
        while PROCESS.encode() + str(len(self.members)).encode() in environment:
            text = environment[PROCESS.encode() + str(len(self.members)).encode()]
            self.members.append(Member(json.loads(text.decode("ascii"))))
        self.failed: Member | None = None
        self.kill_at = -1.0
        self.told_to_end = False
        self.prctl = worker.find_prctl()

    # -- start

    def start(self) -> None:
        """Every process, each in a session of its own and with a pipe of its own; the primary one inherits ours."""
        self.wake_reader, wake_writer = os.pipe()
        os.set_blocking(self.wake_reader, False)
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer)
        for number in HANDLED:
            signal.signal(number, self._note)
        ports, self.held = reserve_ports(self.port_count)
        for member in self.members:
            self._start(member, ports)

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self.told_to_end = True

    def _start(self, member: Member, ports: "list[int]") -> None:
        environment = dict(self.environment)
        for name, value in member.env.items():
            for index, port in enumerate(ports):
                value = value.replace(PORT.format(index), str(port))
            environment[_bytes(name)] = _bytes(value)
        writer = -1
        if member is not self.members[0]:
            member.reader, writer = os.pipe()
            os.set_blocking(member.reader, False)
            member.log = worker.Log(_bytes(member.log_path), self.log_limit)
        us = os.getpid()
        # Blocked until the child has the default handlers: a SIGTERM in between would be lost on it.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        member.pid = os.fork()
        if member.pid == 0:
            try:
                self._become(environment, writer, us)
            finally:
                os._exit(126)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        if writer >= 0:
            os.close(writer)

    def _become(self, environment: "dict[bytes, bytes]", writer: int, parent: int) -> None:
        """In the child: everything up to exec. Never returns normally."""
        code = 126
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (*HANDLED, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if self.prctl is not None:
                self.prctl(worker.PR_SET_PDEATHSIG, int(signal.SIGKILL))
                if os.getppid() != parent:
                    os._exit(126)  # the parent died in between
            if writer >= 0:
                os.dup2(writer, 1)
                os.dup2(writer, 2)
            code = 127
            os.execvpe(_bytes(self.argv[0]), [_bytes(each) for each in self.argv], environment)  # noqa: S606
        except BaseException as problem:
            if not isinstance(problem, FileNotFoundError):
                code = 126
            worker.write_all(
                2, f"penstock: cannot run {self.argv[0]}: {problem}\n".encode("utf-8", "replace")
            )
            os._exit(code)

    # -- follow

    def follow(self) -> None:
        """Until every process has ended: pass on what they print, and when one fails, end the others."""
        poller = select.poll()
        poller.register(self.wake_reader, select.POLLIN)
        readers = {member.reader: member for member in self.members if member.reader >= 0}
        for reader in readers:
            poller.register(reader, select.POLLIN)
        while any(member.status < 0 for member in self.members):
            for fd, _ in poller.poll(self._wait_ms()):
                if fd == self.wake_reader:
                    os.read(fd, worker.CHUNK)
                elif not _pump(readers[fd]):
                    poller.unregister(fd)
            self._reap()
            self._decide()
        until = time.monotonic() + DRAIN_FOR
        for member in readers.values():
            while _pump(member) and time.monotonic() < until and _has_more(member):
                pass

    def _wait_ms(self) -> int:
        if self.kill_at < 0:
            return 3600000
        return max(0, int((self.kill_at - time.monotonic()) * 1000) + 1)

    def _reap(self) -> None:
        for member in self.members:
            if member.status < 0:
                pid, status = os.waitpid(member.pid, os.WNOHANG)
                if pid:
                    member.status = status
                    member.stopped = self.kill_at >= 0
                    if self.kill_at < 0 and self.failed is None and member.exit_code:
                        self.failed = member

    def _decide(self) -> None:
        """Whether those that still run have to end: one failed, we were told, or all whom they serve have ended."""
        running = [member for member in self.members if member.status < 0]
        if self.kill_at < 0 and running:
            served = not any(not member.until_others_end for member in running)
            if self.failed is not None:
                names = ", ".join(member.name for member in running)
                _say(f"{self.failed.name} failed with exit code {self.failed.exit_code}; ends {names}")
            if self.failed is not None or self.told_to_end or served:
                # A little less than the small parent gives us, so that the logs can still be closed.
                self.kill_at = time.monotonic() + self.grace * 0.8
                self._signal(running, signal.SIGTERM)
        if 0 <= self.kill_at <= time.monotonic():
            self._signal(running, signal.SIGKILL)
            self.kill_at = time.monotonic() + 0.05

    def _signal(self, members: "list[Member]", number: int) -> None:
        for member in members:
            try:
                os.killpg(member.pid, number)
            except OSError:
                try:
                    os.kill(member.pid, number)  # it has not begun its session yet
                except OSError:
                    pass  # it ended meanwhile

    # -- result

    def finish(self) -> int:
        """Close the logs and write how each ended. The exit code is the failed one's; else the primary's own."""
        for member in self.members:
            if member.log is not None:
                member.log.finish()
        records = [member.record() for member in self.members]
        temporary = f"{self.folder}/{RESULT}.{os.getpid()}.tmp"
        try:
            worker.publish(temporary, json.dumps(records).encode("ascii"), f"{self.folder}/{RESULT}")
        except OSError:
            worker.remove(temporary)  # a full disk: the exit code says enough to fail, not who it was
        if self.failed is not None:
            return self.failed.exit_code
        ended = [member.exit_code for member in self.members if not member.stopped]
        return max(ended) if ended else 128 + signal.SIGTERM


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _say(text: str) -> None:
    worker.write_all(1, f"penstock: {text}\n".encode("utf-8", "replace"))


def _pump(member: Member) -> bool:
    """Move what is in the pipe to the log; False at its end."""
    try:
        data = os.read(member.reader, worker.CHUNK)
    except BlockingIOError:
        return True
    if member.log is not None:
        member.log.write(data)
    return bool(data)


def _has_more(member: Member) -> bool:
    return bool(select.select([member.reader], [], [], 0)[0])


def main(argv: "list[str]") -> int:
    """Run `argv` once for each process that the environment describes."""
    group = Group(dict(os.environb), argv)
    try:
        group.start()
        group.follow()
    except BaseException as problem:
        for member in group.members:
            if member.pid > 0 and member.status < 0:
                group._signal([member], signal.SIGKILL)
        _say(f"the processes of the step cannot go on: {problem!r}")
        return 1
    return group.finish()


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
