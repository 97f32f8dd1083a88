"""Handing a command to the real `az`, where one is installed."""

import os
import signal
import sys
from collections.abc import Sequence

from penstock.cli.az_on_path import real_az
from penstock.errors import PenstockError

# Counts how often a command was handed over on its way here: a wrapper that is called `az`, and calls `az`, would do it for ever.
_HANDED_OVER = "_PENSTOCK_AZ_HANDED_OVER"
_MOST = 3


def hand_over(words: Sequence[str]) -> None:
    """Become the real `az`: its words, streams, signals and exit code are its own. Returns only where there is none."""
    path = real_az(os.environ)
    if path is None:
        return
    times = os.environ.get(_HANDED_OVER, "0")
    count = int(times) if times.isdigit() else 0
    if count >= _MOST:
        raise PenstockError(
            f"{path} hands its commands back to Penstock's az",
            details=(f"`{' '.join(['az', *words[:2]])}` went round {count} times",),
            hint=f"{path} is a wrapper: let it name the az that it means by its path",
        )
    sys.stdout.flush()
    # Python ignores this signal, and what is executed inherits that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execve(path, [path, *words], {**os.environ, _HANDED_OVER: str(count + 1)})  # noqa: S606 (that it is)
    except OSError as error:
        raise PenstockError(f"cannot run {path}: {error.strerror}") from error
