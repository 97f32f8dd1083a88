"""`@FILE` on a command line: the text of that file, as `az` has it.

`--description @notes.txt` and `--set tags=@tags.json` take the file's text without the ends of its last lines; `@-` reads stdin. A word
whose file cannot be opened is itself: `@latest` is a label, and `@` an expression of a query.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from penstock.errors import UsageError


def filled_in(words: Sequence[str]) -> list[str]:
    """The words, each `@FILE` and `KEY=@FILE` with the file's text in its place."""
    return [_filled_in(word) for word in words]


def _filled_in(word: str) -> str:
    key, equals, value = word.partition("=")
    if not equals:
        key, value = "", word
    if len(value) < 2 or not value.startswith("@"):
        return word
    text = _text_of(value[1:])
    return word if text is None else f"{key}{equals}{text}"


def _text_of(name: str) -> str | None:
    """The text of a file; None where there is no file of that name that can be opened."""
    try:
        if name == "-":
            return "" if sys.stdin is None else sys.stdin.read().rstrip("\n")
        return Path(name).expanduser().read_text(encoding="utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        where = "stdin" if name == "-" else name
        raise UsageError(
            f"argument @{name}: {where} is not text in UTF-8: {error.reason} at byte {error.start}"
        ) from error
    except (OSError, ValueError, RuntimeError):  # no such file, a name with a NUL, `~` of nobody
        return None
