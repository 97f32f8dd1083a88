"""The nearest thing that exists, for a name that was mistyped."""

from collections.abc import Iterable
from pathlib import PurePath


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, or None when nothing is near.

    Case, and the difference between `_` and `-`, count for nothing.
    """
    return next(iter(nearest_few(word, known, at_most=1)), None)


def nearest_few(word: str, known: Iterable[str], *, at_most: int = 3) -> tuple[str, ...]:
    """The known names that may have been meant, the likeliest first."""
    from difflib import get_close_matches

    spellings: dict[str, str] = {}
    for candidate in known:
        spellings.setdefault(_plain(candidate), candidate)
    # 0.6 finds a missing, added or swapped letter in names of four letters and more, and little else.
    matches = get_close_matches(_plain(word), list(spellings), n=at_most, cutoff=0.6)
    return tuple(spellings[match] for match in matches)


def nearest_file(name: str, names: Iterable[str]) -> str | None:
    """The file or folder that was most likely meant. A common ending such as `.yml` makes no two names alike."""
    there = list(names)
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    stems: dict[str, list[str]] = {}
    for each in there:
        stems.setdefault(PurePath(each).stem, []).append(each)
    close = nearest(stem, stems) or next(
        (each for each in sorted(stems) if len(stem) > 2 and each.startswith(stem)), None
    )
    if close is None:
        return None
    return min(stems[close], key=lambda each: (PurePath(each).suffix != suffix, each))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint `` did you mean `x`? ``, or None when nothing is near."""
    close = nearest(word, known)
    return f"did you mean `{close}`?" if close is not None else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")
