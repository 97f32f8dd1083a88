"""The small parent of one command: it outlives the server, and its files say how the command ended.

It runs in the user's environment: one file, standard library only, valid on Python 3.7 to 3.14, and quick to start
(no json, no subprocess, no ctypes: each costs more than all the rest). The server writes the launch description, NUL
separated, to its standard input and reads one line of answer; nothing of the environment touches the disk or argv.

    worker.json   written before the command starts, with link(2), so that one of several starters wins
    result.json   written once, after the last descendant is gone, into space that was reserved at the start

Signals: SIGUSR1 cancels. SIGTERM, SIGINT and SIGHUP (the machine goes down) end the command too; then it is `lost`.
`penstock.compute.processes` uses this file's functions about processes, so that both sides agree.
"""
# No pathlib, no contextlib: importing them costs. strict= of zip came with Python 3.10.
# ruff: noqa: B905, PTH104, PTH108, PTH110, PTH112, PTH115, PTH208, SIM105

import errno
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
else:
    try:
        import _signal as signal  # the same functions; `signal` imports enum: a third of the whole start
    except ImportError:
        import signal

FORMAT = b"penstock-launch-1"
ANSWER = "penstock-worker"
MARKER = "PENSTOCK_STEP"
LINUX = sys.platform.startswith("linux")

# A command that ended may leave children behind. 1 s: enough for multiprocessing's resource tracker, which ignores
# SIGTERM, to clean up after its parent; short enough not to be noticed.
LEFTOVER_GRACE = 1.0
# After SIGKILL only processes in the kernel's uninterruptible sleep, or of another user, can still be there.
GIVE_UP_AFTER_KILL = 5.0
RESERVED = 8192  # bytes for result.json; its text is cut to fit, see write_result
CHUNK = 65536

HANDLED = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


# ---------------------------------------------------------------------------------------------- processes


class Process:
    """One row of the process table. `start_time` is opaque: equal for equal processes, for as long as the boot."""

    __slots__ = ("group", "parent", "pid", "start_time", "zombie")

    def __init__(self, pid: int, parent: int, group: int, zombie: bool, start_time: str) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.zombie = zombie
        self.start_time = start_time


def read_bytes(path: str) -> bytes:
    """The whole file. /proc hands out pages, so a read may be short before the end."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read_to_end(fd)
    finally:
        os.close(fd)


def read_to_end(fd: int) -> bytes:
    """Everything up to the end of the file or pipe."""
    parts: list[bytes] = []
    while True:
        part = os.read(fd, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def boot_id() -> str:
    """What changes when the machine restarts, and only then."""
    if LINUX:
        return read_bytes("/proc/sys/kernel/random/boot_id").decode("ascii").strip()
    # kern.boottime moves when somebody sets the clock; the session's uuid does not.
    return (
        output_of(["sysctl", "-n", "kern.bootsessionuuid"]).strip()
        or output_of(["sysctl", "-n", "kern.boottime"]).split(",")[0].strip("{ ")
        or "unknown"
    )


def find_process(pid: int) -> "Process | None":
    """The process with this pid, running or a zombie."""
    if LINUX:
        return _from_proc(pid)
    for process in _from_ps(["-p", str(pid)]):
        return process
    return None


def all_processes() -> "list[Process]":
    """Every process that can be seen."""
    if not LINUX:
        return _from_ps(["-ax"])
    found = (_from_proc(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None]


def descendants_of(roots: "set[int]", table: "list[Process]") -> "list[Process]":
    """Children, their children, and so on, of the given pids; the roots themselves are not among them."""
    children: dict[int, list[Process]] = {}
    for process in table:
        children.setdefault(process.parent, []).append(process)
    found, waiting, seen = [], list(roots), set(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.pid not in seen:
                seen.add(child.pid)
                found.append(child)
                waiting.append(child.pid)
    return found


def marked_processes(marker: str, pipe: int, table: "list[Process]") -> "list[Process]":
    """Those that carry the step's marker in their environment, or hold the write end of its log's pipe.

    Either is enough: `env -i` drops the marker, a daemon that redirects its output drops the pipe.
    """
    if LINUX:
        return [process for process in table if _carries(process.pid, marker, pipe)]
    wanted = f" {MARKER}={marker} "
    lines = (line.split(None, 1) for line in output_of(["ps", "-axwwE", "-o", "pid=,command="]).splitlines())
    pids = {int(parts[0]) for parts in lines if len(parts) == 2 and wanted in parts[1] + " "}
    return [process for process in table if process.pid in pids]


def _carries(pid: int, marker: str, pipe: int) -> bool:
    folder = f"/proc/{pid}"
    try:
        if b"\0" + os.fsencode(f"{MARKER}={marker}") + b"\0" in b"\0" + read_bytes(folder + "/environ"):
            return True
        if pipe:
            names = (f"{folder}/fd/{name}" for name in os.listdir(folder + "/fd"))
            return any(_link_of(name) == f"pipe:[{pipe}]" for name in names)
    except OSError:
        pass  # it ended meanwhile, or it is another user's and so not ours
    return False


def _link_of(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""  # closed meanwhile


def _from_proc(pid: int) -> "Process | None":
    try:
        stat = read_bytes(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The name in parentheses may hold anything, also spaces and parentheses: count from its end.
    fields = stat[stat.rfind(b")") + 2 :].split()
    return Process(pid, int(fields[1]), int(fields[2]), fields[0] in (b"Z", b"X"), fields[19].decode("ascii"))


def _from_ps(selection: "list[str]") -> "list[Process]":
    text, ps = _run(["ps", *selection, "-o", "pid=,ppid=,pgid=,stat=,lstart="])
    found = []
    for line in text.splitlines():
        pid, parent, group, state, started = line.split(None, 4)
        if int(pid) != ps:  # it sees itself, as a child of ours
            found.append(Process(int(pid), int(parent), int(group), state.startswith("Z"), started.strip()))
    return found


def output_of(argv: "list[str]") -> str:
    """What a system tool prints; the same text whatever the user's locale and time zone are."""
    return _run(argv)[0]


def _run(argv: "list[str]") -> "tuple[str, int]":
    import subprocess  # only where there is no /proc

    environment = dict(os.environ, LC_ALL="C", TZ="UTC0")
    try:
        tool = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    except OSError:
        return "", 0  # no such tool here
    with tool:
        return tool.communicate()[0].decode("utf-8", "replace"), tool.pid


def find_prctl() -> "Callable[[int, int], int] | None":
    """Linux's prctl(2), or None. By `_ctypes`, because importing `ctypes` costs twice as much."""
    if not LINUX:
        return None
    try:
        import _ctypes

        this_program = _ctypes.dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]
        address, call = _ctypes.dlsym(this_program, "prctl"), _ctypes.call_function
        return lambda option, value: call(address, (option, value, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        pass
    try:
        import ctypes

        function = ctypes.CDLL(None).prctl
    except (ImportError, AttributeError, OSError):
        return None  # a Python that was built without it: ending descendants then relies on the marker
    return lambda option, value: int(function(option, value, 0, 0, 0))


def out_of_memory_kills() -> "list[int]":
    """How often the kernel has ended a process for lack of memory: in this control group, and on this machine."""
    if not LINUX:
        return []
    paths = ["/proc/vmstat"]
    try:
        for line in read_bytes("/proc/self/cgroup").decode("utf-8", "replace").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers == "":
                paths.append(f"/sys/fs/cgroup{group}/memory.events")
            elif "memory" in controllers.split(","):
                paths.append(f"/sys/fs/cgroup/memory{group}/memory.oom_control")
    except (OSError, ValueError):
        pass  # no control groups here: the machine's own counter is left
    counts = []
    for path in paths:
        try:
            lines = (line.split() for line in read_bytes(path).splitlines())
            counts.append(sum(int(line[1]) for line in lines if line and line[0] == b"oom_kill"))
        except (OSError, ValueError, IndexError):
            counts.append(0)
    return counts


# -------------------------------------------------------------------------------------------------- files


def as_json(record: "dict[str, object]") -> bytes:
    """One flat JSON object, ASCII only. (Importing json costs as much as starting Python.)"""
    return (
        "{{{}}}\n".format(", ".join(f"{_quoted(key)}: {_json(value)}" for key, value in record.items()))
    ).encode()


def _json(value: object) -> str:
    if value is None:
        return "null"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    parts = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            parts.append("\\" + character)
        elif 32 <= code < 127:
            parts.append(character)
        elif code < 0x10000:
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(f"\\u{0xD800 + ((code - 0x10000) >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}")
    return '"{}"'.format("".join(parts))


def text_of(data: bytes) -> str:
    """Bytes of the server as text. Not os.fsdecode: the locale here need not be the server's."""
    return data.decode("utf-8", "surrogateescape")


def write_all(fd: int, data: bytes) -> int:
    """Write everything; the number of bytes that were NOT written because the disk refused them."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except OSError:
            return len(view)
    return 0


def publish(path: str, data: bytes, target: str) -> bool:
    """Write `data` into the file `path` and make it `target` in one step; False where a target exists already.

    The file may exist before: with data of its own length no new block is needed, so a full disk is no obstacle.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if write_all(fd, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(path, target)
    except FileExistsError:
        return False
    except OSError:
        # No hard links on this filesystem, or no inode left for one: nearly as good, only not a race's referee.
        if os.path.exists(target):
            return False
        os.rename(path, target)
        return True
    os.unlink(path)
    return True


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some network filesystems cannot; the file itself is safe
    finally:
        os.close(fd)


def remove(path: str) -> None:
    """Delete the file if it is there."""
    try:
        os.unlink(path)
    except OSError:
        pass


class Log:
    """The step's log: appended live, byte by byte, up to half of its limit; of the rest the last half is kept.

    What comes after the first half goes into a ring on disk (deleted at once, so a crash leaves nothing) and follows
    at the end. So the file only grows, and readers by offset never see it change behind them.
    """

    def __init__(self, path: bytes, limit: int) -> None:
        self.path = path
        self.limit = max(limit, 2)
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.head_left = self.limit // 2
        self.size = self.limit - self.limit // 2
        self.ring = -1
        self.ringed = 0
        self.refused = 0
        self.cut = 0
        self.at_line_start = True

    def write(self, data: bytes) -> None:
        """Take what the command printed. A full disk never stops the command: what it refuses is counted."""
        if self.head_left:
            head, data = data[: self.head_left], data[self.head_left :]
            self.head_left -= len(head)
            self._append(head)
        if data:
            self._keep(data)

    def _append(self, data: bytes) -> None:
        self.refused += write_all(self.fd, data)
        self.at_line_start = data.endswith(b"\n")

    def _say(self, text: str) -> None:
        self._append((("" if self.at_line_start else "\n") + "penstock: " + text + "\n").encode())

    def _keep(self, data: bytes) -> None:
        fitted = self.ringed <= self.size
        try:
            if self.ring < 0:
                name = self.path + b".tail"
                self.ring = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                os.unlink(name)
            while data:
                place = self.ringed % self.size
                written = os.pwrite(self.ring, data[: self.size - place], place)
                self.ringed += written
                data = data[written:]
        except OSError:
            self.refused += len(data)
        if fitted and self.ringed > self.size:
            self._say(
                f"this log has reached its limit of {self.limit} bytes (PENSTOCK_LOG_LIMIT_MB); "
                f"of what follows only the last {self.size} bytes are kept, and shown when the step ends"
            )

    def finish(self) -> None:
        """Append what the ring holds, with a line in between if something is missing."""
        if self.ringed > self.size:
            begin = self.ringed - self.size
            first = self._ring(begin, min(CHUNK, self.size))
            begin += first.find(b"\n") + 1  # a whole line reads better than the end of one
            self.cut = begin
            self._say(f"{self.cut} bytes of the log were left out here")
        else:
            begin = 0
        while begin < self.ringed:
            part = self._ring(begin, CHUNK)
            if not part:
                break
            self._append(part)
            begin += len(part)

    def _ring(self, begin: int, count: int) -> bytes:
        place = begin % self.size
        return os.pread(self.ring, min(count, self.size - place, self.ringed - begin), place)


# --------------------------------------------------------------------------------------------------- step


class Description:
    """What the server asks for. Paths and texts stay bytes: the locale here may differ from the server's."""

    def __init__(self, data: bytes) -> None:
        parts = data.split(b"\0")
        if parts[0] != FORMAT or parts[-1] != b"end":
            raise ValueError("the launch description is incomplete")
        self.id = text_of(parts[1])
        self.fence = int(parts[2])
        self.marker = text_of(parts[3])
        self.folder = os.fsdecode(parts[4])
        self.cwd = parts[5]
        self.log = parts[6]
        self.timeout = float(parts[7]) if parts[7] else None
        self.log_limit = int(parts[8])
        self.grace = float(parts[9])
        count = int(parts[10])
        self.argv = parts[11 : 11 + count]
        pairs = (part.split(b"=", 1) for part in parts[11 + count : -1])
        self.env = {pair[0]: pair[1] for pair in pairs}


class Step:
    """One command, from the claim of its folder to its result."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.pid = os.getpid()
        self.command = 0
        self.status = -1
        self.cannot_start = b""
        self.reason = "exited"
        self.details: list[str] = []
        self.started_at = 0.0
        self.ended_at = 0.0
        self.kill_at = -1.0
        self.give_up_at = -1.0
        self.received: list[int] = []
        self.childless = False
        self.subreaper = False
        self.told_leftovers = False
        self.drained = False
        self.reserve = f"{description.folder}/result.{self.pid}.reserve"

    # -- claim

    def claim(self) -> str:
        """Reserve the folder and the space for the result. The answer for the server: started, refused, full, failed."""
        folder = self.description.folder
        own = find_process(self.pid)
        self.record: dict[str, object] = {
            "id": self.description.id,
            "fence": self.description.fence,
            "pid": self.pid,
            "start_time": own.start_time if own else "",
            "boot_id": boot_id(),
            "marker": self.description.marker,
            "pipe": os.fstat(self.log_reader).st_ino,
            "started_at": time.time(),
        }
        temporary = f"{folder}/worker.{self.pid}.tmp"
        try:
            if os.path.exists(folder + "/result.json"):
                return "refused a step has ended in this folder"
            fd = os.open(self.reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            missing = write_all(fd, b" " * RESERVED)
            os.close(fd)
            if missing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.log = Log(self.description.log, self.description.log_limit)
            if not publish(temporary, as_json(self.record), folder + "/worker.json"):
                remove(self.reserve)
                remove(temporary)
                return "refused a step was started in this folder before"
        except OSError as problem:
            remove(self.reserve)
            remove(temporary)
            kind = "full" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "failed"
            return "{} {}".format(kind, str(problem).replace("\n", " "))
        return f"started {self.pid}\t{own.start_time if own else ''}\t{self.record['boot_id']}"

    def listen(self) -> None:
        """Be ready for signals before the server knows us: a cancel may come at once."""
        self.wake_reader, wake_writer = os.pipe()
        os.set_blocking(self.wake_reader, False)
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer)
        for number in HANDLED:
            signal.signal(number, self._note)
        self.log_reader, self.log_writer = os.pipe()
        os.set_blocking(self.log_reader, False)

    def _note(self, number: int, _frame: object) -> None:
        self.received.append(number)

    # -- run

    def start(self) -> None:
        """Start the command in a session of its own, so that no signal to its group is one to us."""
        prctl = find_prctl()
        if prctl is not None:
            # Whoever loses its parent down there becomes our child: a double fork does not get away.
            self.subreaper = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0
        self.memory_kills = out_of_memory_kills()
        self.error_reader, error_writer = os.pipe()
        self.started_at = time.time()
        self.clock_at_start = time.monotonic()
        # Blocked until the child has the default handlers: a SIGTERM in between would be lost on it.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        self.command = os.fork()
        if self.command == 0:
            try:
                self._become_the_command(prctl, error_writer)
            finally:
                os._exit(126)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.close(error_writer)
        os.close(self.log_writer)
        self._note_the_command()

    def _become_the_command(self, prctl: "Callable[[int, int], int] | None", error_writer: int) -> None:
        """In the child: everything up to exec. Never returns normally."""
        code, doing = 126, "start the command"
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (*HANDLED, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if prctl is not None:
                prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
                if os.getppid() != self.pid:
                    os._exit(126)  # the parent died in between: nobody would see how this ends
            os.dup2(self.log_writer, 1)
            os.dup2(self.log_writer, 2)
            doing = f"enter the working folder {text_of(self.description.cwd)}"
            os.chdir(self.description.cwd)
            doing = f"run {text_of(self.description.argv[0])}"
            code = 127
            os.execvpe(self.description.argv[0], self.description.argv, self.description.env)  # noqa: S606
        except BaseException as problem:
            if not isinstance(problem, FileNotFoundError):
                code = 126
            why = problem.strerror if isinstance(problem, OSError) else repr(problem)
            text = (f"cannot {doing}: {why}").encode("utf-8", "surrogateescape")
            write_all(2, b"penstock: " + text + b"\n")
            write_all(error_writer, text)
            os._exit(code)

    def _note_the_command(self) -> None:
        """Add the command's own identity to worker.json: it helps whoever cleans up after a killed parent."""
        command = find_process(self.command)
        self.record["command_pid"] = self.command
        self.record["command_start_time"] = command.start_time if command else ""
        temporary = f"{self.description.folder}/worker.{self.pid}.tmp"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            missing = write_all(fd, as_json(self.record))
            os.close(fd)
            if missing:
                remove(temporary)
            else:
                os.rename(temporary, self.description.folder + "/worker.json")
        except OSError:
            remove(temporary)  # a help only: the marker finds the command too

    def follow(self) -> None:
        """Until the command and all its descendants are gone: pass its output on, watch the clock, obey signals."""
        poller = select.poll()
        for fd in (self.log_reader, self.wake_reader, self.error_reader):
            poller.register(fd, select.POLLIN)
        while True:
            for fd, _ in poller.poll(self._wait_ms()):
                if fd == self.log_reader:
                    if not self._pump():
                        poller.unregister(fd)
                elif fd == self.wake_reader:
                    os.read(fd, CHUNK)
                else:
                    part = os.read(fd, CHUNK)
                    self.cannot_start += part
                    if not part:
                        poller.unregister(fd)
            self._obey()
            self._reap()
            self._watch_the_clock()
            if self.status >= 0 and (self._all_gone() or 0 <= self.give_up_at <= time.monotonic()):
                break
        until = time.monotonic() + 1.0
        while self._pump() and not self.drained and time.monotonic() < until:
            pass

    def _pump(self) -> bool:
        """Move what is in the pipe to the log; False at its end."""
        self.drained = False
        try:
            data = os.read(self.log_reader, CHUNK)
        except BlockingIOError:
            self.drained = True
            return True
        self.log.write(data)
        return bool(data)

    def _wait_ms(self) -> "int | None":
        now = time.monotonic()
        times = []
        if self.give_up_at >= 0:
            times.append(now + 0.005)  # killing: look again soon, for those that forked meanwhile
        elif self.kill_at >= 0:
            times.append(self.kill_at)
            if not self.subreaper:
                times.append(now + 0.1)  # nobody tells us when a descendant that is not our child ends
        elif self.description.timeout is not None:
            times.append(self.clock_at_start + self.description.timeout)
        # An hour at most: poll(2) counts milliseconds in an int, which overflows after 24 days.
        return min(3600000, max(0, int((min(times) - now) * 1000) + 1)) if times else None

    def _obey(self) -> None:
        received, self.received = self.received, []
        for number in received:
            if number == signal.SIGUSR1:
                self._end("canceled")
            elif number != signal.SIGCHLD:
                self._end("lost", f"the small parent of the step was told to end by signal {number}")

    def _watch_the_clock(self) -> None:
        now = time.monotonic()
        timeout = self.description.timeout
        if (
            self.kill_at < 0
            and self.status < 0
            and timeout is not None
            and now >= self.clock_at_start + timeout
        ):
            self._end("timeout", f"the time limit of {timeout:g} s has passed")
        if 0 <= self.kill_at <= now:
            if self.give_up_at < 0:
                self.give_up_at = now + GIVE_UP_AFTER_KILL
            self._signal_all(signal.SIGKILL)

    def _end(self, reason: str, detail: str = "") -> None:
        """Ask the command and all its descendants to end. The first reason stands; a command that ended keeps its own."""
        if self.status < 0 and self.kill_at < 0:
            self.reason = reason
            if detail:
                self.details.append(detail)
        self._let_end(self.description.grace)

    def _let_end(self, grace: float) -> None:
        kill_at = time.monotonic() + grace
        if self.kill_at < 0:
            self._signal_all(signal.SIGTERM)
            self.kill_at = kill_at
        self.kill_at = min(self.kill_at, kill_at)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.childless = True
                break
            if pid == 0:
                self.childless = False
                break
            if pid == self.command:
                self.status = status
                self.ended_at = max(time.time(), self.started_at)
        if self.status >= 0 and not self.told_leftovers and not self._all_gone():
            self.told_leftovers = True
            self._let_end(LEFTOVER_GRACE)

    def _all_gone(self) -> bool:
        """For a subreaper, to have no child is the proof: a descendant whose parent ended would be one."""
        return self.childless if self.subreaper else not self._survivors()

    def _survivors(self) -> "list[Process]":
        if self.childless and self.subreaper:
            return []
        table = all_processes()
        found = {process.pid: process for process in descendants_of({self.pid}, table)}
        if not self.subreaper:
            # Nobody hands us the orphans here; the group is for programs whose environment macOS hides from ps.
            for process in marked_processes(self.description.marker, 0, table):
                found[process.pid] = process
            for process in table:
                if process.group == self.command:
                    found[process.pid] = process
            for process in descendants_of(set(found), table):
                found[process.pid] = process
        return [process for process in found.values() if not process.zombie and process.pid != self.pid]

    def _signal_all(self, number: int) -> None:
        own_group = os.getpgrp()
        survivors = self._survivors()
        # By group first: that is one step for the kernel, so a process that forks while we look is caught.
        for group in {process.group for process in survivors} - {own_group, 0, 1}:
            try:
                os.killpg(group, number)
            except OSError:
                pass  # gone meanwhile
        for process in survivors:
            if process.group == own_group or number == signal.SIGKILL:
                try:
                    os.kill(process.pid, number)
                except OSError:
                    pass  # gone meanwhile, or another user's (sudo): told in the result

    # -- result

    def finish(self) -> int:
        """Close the log, write the result; the command's exit code, which is also ours if nothing can be written."""
        self.log.finish()
        survivors = self._survivors()
        if survivors:
            pids = ", ".join(str(process.pid) for process in survivors)
            self.details.append(f"these processes of the step could not be ended: {pids}")
        number = os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None
        code = 128 + number if number else os.WEXITSTATUS(self.status)
        if self.cannot_start:
            self.details.append(text_of(self.cannot_start))
        elif self.reason == "exited":
            self._explain(code, number)
        if self.log.cut:
            self.details.append(f"the log was cut: {self.log.cut} bytes in its middle were left out")
        if self.log.refused:
            self.details.append(f"{self.log.refused} bytes of the log could not be written to disk")
        self.write_result(code, number)
        return code

    def _explain(self, code: int, number: "int | None") -> None:
        if code != 128 + signal.SIGKILL:
            if number:
                self.details.append(f"ended by signal {number}")
            return
        if any(after > before for before, after in zip(self.memory_kills, out_of_memory_kills())):
            self.details.append("killed by the out-of-memory killer (signal 9)")
        else:
            self.details.append("killed by signal 9 (SIGKILL), possibly out of memory")

    def write_result(self, code: "int | None", number: "int | None") -> None:
        """Publish the result; on a full disk, which the reserved file should prevent, try for ten seconds."""
        detail = "; ".join(self.details)
        record = {
            "id": self.description.id,
            "fence": self.description.fence,
            "exit_code": code,
            "signal": number,
            "reason": self.reason,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "detail": detail[:600] or None,  # fits: in the worst alphabet a character takes twelve bytes
        }
        text = as_json(record)
        target = self.description.folder + "/result.json"
        until = time.monotonic() + 10.0
        while os.path.isdir(self.description.folder):
            try:
                # Padded to the reserved length (JSON does not mind): nothing about the file changes but its bytes.
                if publish(self.reserve, text.ljust(RESERVED), target):
                    os.truncate(target, len(text))
                sync_folder(self.description.folder)
                return
            except OSError:
                if time.monotonic() > until:
                    return
                time.sleep(0.2)

    def give_up(self, problem: BaseException) -> None:
        """Something that should not happen: end the command and say what it was."""
        if self.command > 0:
            self._signal_all(signal.SIGKILL)
        try:
            self.log.finish()
        except OSError:
            pass  # the result matters more
        self.reason = "lost"
        self.details.append(f"the small parent failed: {problem!r}")
        self.started_at = self.started_at or time.time()
        self.ended_at = max(time.time(), self.started_at)
        self.write_result(None, None)


def say(answer: str) -> bool:
    """Answer the server on standard output; False where nobody listens any more."""
    return write_all(1, (f"{ANSWER} {answer}\n").encode("utf-8", "replace")) == 0


def main() -> int:
    """Take the description from standard input, claim, answer, run, report."""
    try:
        step = Step(Description(read_to_end(0)))
    except (ValueError, IndexError) as problem:
        say(f"failed {problem}")
        return 2
    step.listen()
    answer = step.claim()
    if not answer.startswith("started"):
        say(answer)
        return 2
    if not say(answer):
        # The server died before it could know of us. Nothing has happened yet, so leave the folder as it was:
        # the next server starts the step again, and it runs once.
        remove(step.description.folder + "/worker.json")
        remove(step.reserve)
        return 2
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    try:
        step.start()
        step.follow()
        return step.finish()
    except BaseException as problem:
        step.give_up(problem)
        return 1


if __name__ == "__main__":
    os._exit(main())
