"""Which of the machine's Pythons an environment gets."""

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from penstock.environments.interpreters import OLDEST, Interpreter
from penstock.errors import Problem

# Where nothing is asked: the versions that most packages have wheels for come first.
_BEST_SERVED = ((3, 11), (3, 12), (3, 10), (3, 13), (3, 9), (3, 14), (3, 8), (3, 7))
_NEWEST_KNOWN = 14


@dataclass(frozen=True)
class PythonWish:
    """What an environment asks for.

    `specifier` is PEP 440, empty for any Python. A pin of a conda file is `binding`; what an image's name says is a
    preference, since the image itself is not run. `pointer` is where the document says it, `source` how to name it.
    """

    specifier: str
    source: str
    pointer: str
    binding: bool


@dataclass(frozen=True)
class Chosen:
    """An interpreter, and what a person should know about it."""

    interpreter: Interpreter
    warning: str | None = None


def choose_python(
    wish: PythonWish, present: Sequence[Interpreter], *, nearest_allowed: bool, running: tuple[int, int]
) -> Chosen | Problem:
    """The interpreter for a wish, or the problem that there is none, which lists what the machine has.

    Another patch release of the asked version is taken with a warning: it runs the same code and the same wheels.
    """
    if not present:
        return Problem(
            wish.pointer,
            "this machine has no usable Python",
            hint="install Python 3.7 or later",
            code="not_found",
        )
    asked = SpecifierSet(wish.specifier)
    exact = [one for one in present if asked.contains(one.version)]
    if exact:
        return Chosen(_best(exact, running))
    same_minor = [one for one in present if _fits_but_for_its_patch(asked, one)]
    if same_minor:
        taken = _best(same_minor, running)
        warning = f"Python {taken.version} is used: {wish.source} asks for Python {_said(wish)}, of which this machine has no exact copy"
        return Chosen(taken, warning if wish.binding else None)
    if nearest_allowed or not wish.binding:
        taken = _nearest(asked, present, running)
        return Chosen(
            taken,
            f"Python {taken.version} is used, the nearest that this machine has: "
            f"{wish.source} {'asks for' if wish.binding else 'says'} Python {_said(wish)}",
        )
    return _absent(wish, asked, present, running)


def by_nearness(
    wish: PythonWish, present: Sequence[Interpreter], running: tuple[int, int]
) -> list[Interpreter]:
    """One interpreter of each minor version, the nearest to the wish first, then in the usual order of preference."""
    asked = SpecifierSet(wish.specifier)
    per_minor = [[one for one in present if one.minor == minor] for minor in {one.minor for one in present}]
    chosen = [
        _best([one for one in ones if asked.contains(one.version)] or ones, running) for ones in per_minor
    ]
    ordered = []
    while chosen:
        fitting = [one for one in chosen if fits_but_for_its_patch(wish, one)]
        nearest = _best(fitting, running) if fitting else _nearest(asked, chosen, running)
        chosen.remove(nearest)
        ordered.append(nearest)
    return ordered


def fits(wish: PythonWish, one: Interpreter) -> bool:
    """This interpreter is just what is asked for."""
    return SpecifierSet(wish.specifier).contains(one.version)


def fits_but_for_its_patch(wish: PythonWish, one: Interpreter) -> bool:
    """This interpreter, or another patch release of its minor version, is what is asked for."""
    return _fits_but_for_its_patch(SpecifierSet(wish.specifier), one)


def said(wish: PythonWish) -> str:
    """The wish as people say it: `3.9`."""
    return _said(wish)


def _absent(
    wish: PythonWish, asked: SpecifierSet, present: Sequence[Interpreter], running: tuple[int, int]
) -> Problem:
    have = ", ".join(dict.fromkeys(one.version for one in present))
    near = _nearest(asked, present, running).version
    oldest = ".".join(map(str, OLDEST))
    reason = "" if _could_be_had(asked) else f" (environments need Python {oldest} or later)"
    brought = (
        ", or set PENSTOCK_CONDA_PACKAGES=conda: the conda file's channels bring it" if wish.binding else ""
    )
    return Problem(
        wish.pointer,
        f"Python {_said(wish)} is not on this machine{reason}",
        expected=f"one of {have}",
        hint=f"install it (`pyenv install {_installable(asked)}`), or allow the nearest, {near}, by starting the server "
        f"with PENSTOCK_PYTHON=nearest{brought}"
        if _could_be_had(asked)
        else f"ask for one of {have}, or allow the nearest, {near}, by starting the server with PENSTOCK_PYTHON=nearest",
        code="not_found",
    )


def _best(candidates: Sequence[Interpreter], running: tuple[int, int]) -> Interpreter:
    """Penstock's own version if it may be, then the best served; of one version the newest patch release."""
    order = [running, *_BEST_SERVED] if running in _BEST_SERVED[:4] else list(_BEST_SERVED)

    def rank(one: Interpreter) -> tuple[int, tuple[int, int, int]]:
        place = order.index(one.minor) if one.minor in order else len(order)
        return -place, one.version_info

    return max(candidates, key=rank)


def _nearest(asked: SpecifierSet, present: Sequence[Interpreter], running: tuple[int, int]) -> Interpreter:
    """The fewest minor versions away; of two, the newer: it still understands the older one's code."""
    wanted = _minors_that_fit(asked) or [running[1]]

    def distance(one: Interpreter) -> tuple[int, int]:
        return min(abs(one.minor[1] - minor) for minor in wanted), -one.minor[1]

    least = min(distance(one) for one in present)
    return _best([one for one in present if distance(one) == least], running)


def _minors_that_fit(asked: SpecifierSet) -> list[int]:
    """The minor versions of Python 3, 3.0 to 3.30, in which some patch release fits."""
    return [minor for minor in range(31) if any(asked.contains(f"3.{minor}.{patch}") for patch in range(40))]


def _could_be_had(asked: SpecifierSet) -> bool:
    return any(OLDEST[1] <= minor <= _NEWEST_KNOWN for minor in _minors_that_fit(asked))


def _installable(asked: SpecifierSet) -> str:
    fitting = [minor for minor in _minors_that_fit(asked) if OLDEST[1] <= minor <= _NEWEST_KNOWN]
    return f"3.{fitting[-1]}"


def _fits_but_for_its_patch(asked: SpecifierSet, one: Interpreter) -> bool:
    return one.minor[1] in _minors_that_fit(asked) and Version(one.version).major == 3


def _said(wish: PythonWish) -> str:
    """`==3.9.*` as people say it: `3.9`."""
    text = wish.specifier
    return text.removeprefix("==").removesuffix(".*") if text.count("=") == 2 and "," not in text else text
