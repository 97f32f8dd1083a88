"""How far a long reading of a table has come: one line on stderr."""

import sys
import time

from penstock.cli.invocation import Invocation, write_error

_QUIET_FOR = 1.0
"""Seconds from the first rows on without a word: most tables are read by then."""
_EVERY = {True: 0.2, False: 10.0}
"""Seconds between two words, by whether a person's terminal takes them in one line."""


class Counter:
    """Tells the rows that were read so far, where it takes long enough for anybody to wonder."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._one_line = sys.stderr is not None and sys.stderr.isatty()
        self._next: float | None = None
        self._is_open = False

    def __enter__(self) -> "Counter":
        return self

    def told(self, rows: int) -> None:
        """The number of rows that were read so far."""
        now = time.monotonic()
        if self._next is None:
            self._next = now + _QUIET_FOR
        if now < self._next or self._invocation.arguments.only_show_errors:
            return
        self._next = now + _EVERY[self._one_line]
        text = f"read {rows:,} rows"
        if self._one_line:
            write_error(f"\r{text} ")
            self._is_open = True
        else:
            write_error(f"{text}\n")

    def __exit__(self, *_: object) -> None:
        if self._is_open:
            write_error("\r\033[K")
