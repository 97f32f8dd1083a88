"""The nearest thing that exists, for a word that was mistyped."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, or None when nothing is near.

    Case, and the difference between `_` and `-`, count for nothing.
    """
    from difflib import get_close_matches

    plain = {_plain(candidate): candidate for candidate in known}
    matches = get_close_matches(_plain(word), list(plain), n=1, cutoff=0.6)
    return plain[matches[0]] if matches else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")
