"""`penstock`: the entry point, where every error becomes words and an exit code.

Exit codes, as those of `az`: 0 done, 1 failed, 2 the command line cannot be understood, 3 the named thing does not exist.
"""

import os
import sys
from collections.abc import Callable, Sequence


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. Raises nothing."""
    return guarded(list(sys.argv[1:] if argv is None else argv), _penstock)


def guarded(words: list[str], does: Callable[[list[str]], int]) -> int:
    """Do what the words say; every error becomes words on stderr and an exit code."""
    try:
        if os.name == "nt":
            return _refuse_windows()
        return does(words)
    except BrokenPipeError:
        return _end_without_a_reader()
    except KeyboardInterrupt as interruption:
        from penstock.cli.invocation import write_error
        from penstock.cli.program import spoken

        # Its message, where a command has one, says what goes on without us.
        write_error(f"\n{spoken(str(interruption)) or 'interrupted'}\n")
        return 1
    except Exception as error:
        from penstock.cli.problems import report

        return report(error, debug="--debug" in words)


def _penstock(words: list[str]) -> int:
    if words[:1] in (["--version"], ["-V"]):
        return _print_version()
    from penstock.cli.dispatch import dispatch

    return dispatch(understood(words))


def understood(words: list[str]) -> list[str]:
    """The words with the text of each `@FILE` in its place. A command line of which a part is no text is refused."""
    if any("@" in word for word in words):
        from penstock.cli.words_from_files import filled_in

        words = filled_in(words)
    check_texts(words)
    return words


def check_texts(words: Sequence[str]) -> None:
    """Refuse a command line of which a part is no text."""
    for word in words:
        _check_text(word)


def _check_text(word: str) -> None:
    """Refuse an argument whose bytes are no text: Python keeps such bytes as halves of characters.

    In a locale that knows only ASCII it keeps all others so, too. A file of such a name can be opened, and is let pass.
    """
    try:
        word.encode()
    except UnicodeEncodeError as error:
        from pathlib import Path

        from penstock.errors import UsageError

        if Path(word).exists():
            return

        raise UsageError(
            f"argument {word!a} is not text in UTF-8", hint="in a C locale, set LC_ALL=C.UTF-8"
        ) from error


def _print_version() -> int:
    """Nothing else is imported for it."""
    from penstock import __version__

    print(f"penstock {__version__}", flush=True)
    return 0


def _refuse_windows() -> int:
    print("error: penstock runs on Linux and macOS", file=sys.stderr)
    print("hint: on Windows, install and use it within WSL: wsl --install", file=sys.stderr)
    return 1


def _end_without_a_reader() -> int:
    """`penstock job list | head -1` has what it wants: end quietly."""
    from penstock.cli.invocation import let_go_of_stdout

    let_go_of_stdout()
    return 0
