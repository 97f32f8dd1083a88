"""Keeps what arrives on standard input as a log with a limit: for processes that somebody else starts, as `mpirun` does.

Run as `keep_log.py LOG LIMIT`. Like the small parent, whose log it is, it runs in the user's environment: standard library only,
valid on Python 3.7 to 3.14. It ends when nobody can write to it any more, and hears no request to end before: the last
words of a process that is ended come after that.
"""

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from penstock.compute import worker
else:
    import worker  # the user's interpreter runs this file: nothing else lies in the folder for it


def main(argv: "list[str]") -> int:
    """Until the end of standard input: pass it on to the log `argv[0]`, of at most `argv[1]` bytes."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    log = worker.Log(os.fsencode(argv[0]), int(argv[1]))
    while True:
        data = os.read(0, worker.CHUNK)
        if not data:
            break
        log.write(data)
    log.finish()
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
