"""The nearest set that this machine can have instead of what was asked for, and one row for every difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.utils import canonicalize_name

from penstock.environments import neighbours
from penstock.environments.azure_only import stands_here_instead
from penstock.environments.companions import Companion, companions
from penstock.environments.conda_file import names_of
from penstock.environments.credentials import without_credentials
from penstock.environments.interpreters import Interpreter
from penstock.environments.locking import Ask, Lock, resolve
from penstock.environments.nearest import Draft, Form, nearest_set
from penstock.environments.obstacles import reasons, unreachable
from penstock.environments.pinned_lines import Line, line_of
from penstock.environments.python_choice import PythonWish, by_nearness, fits, fits_but_for_its_patch, said
from penstock.environments.relaxation import Relaxation
from penstock.environments.releases import Budget, Releases
from penstock.environments.uv import Uv
from penstock.errors import EnvironmentCannotBeBuilt

_WEIGHT_OF_PYTHON = 10
"""A Python that the file pins counts a little more than the pin of a package that reads models."""
_MOST_TRIALS = 4
"""Times that a set is searched anew because a package in it could not be built."""


@dataclass(frozen=True)
class Relaxed:
    """An interpreter, a lock for it, and how they differ from what was asked for."""

    interpreter: Interpreter
    lock: Lock
    relaxations: tuple[Relaxation, ...]


def relax(
    label: str,
    ask: Ask,
    wish: PythonWish,
    present: Sequence[Interpreter],
    uv: Uv,
    say: Callable[[str], None],
    *,
    running: tuple[int, int],
) -> Relaxed:
    """The nearest set. Raises UvFailed where the indexes cannot be asked, EnvironmentCannotBeBuilt where nothing is left.

    The same ask gives the same answer on the same Pythons with the same indexes: nothing is random, and of two equal
    sets the Python nearest to the wish has it.
    """
    search = _Search(tuple(line_of(one) for one in ask.wanted), ask, wish, uv, say, Budget(label))
    draft, releases = search.best(by_nearness(wish, present, running))
    if draft.lines and all(_is_lost(draft, line) for line in draft.lines):
        raise EnvironmentCannotBeBuilt(
            f"environment `{label}` cannot be relaxed: nothing of what it asks for can be installed here",
            details=[f"{line.one.pointer}  {draft.why[line.one.pointer]}" for line in draft.lines],
        )
    limits = neighbours.limits_of_python(releases.interpreter.minor)
    along = companions(draft, releases)
    wanted = (*draft.requirements(), *(one.wanted for one in along))
    final = Ask(wanted, ask.option_lines, (*ask.arguments, *releases.arguments()))
    lock = resolve(final, releases.interpreter, uv, say, more_limits=limits)
    rows = [*_python_row(wish, releases.interpreter, present), *_rows(search.lines, draft, lock)]
    if not rows:  # neighbours are held in every environment; that alone makes none a relaxed one
        return Relaxed(releases.interpreter, lock, ())
    rows += _companion_rows(along, lock)
    rows += _held_rows(search.lines, lock, wish)
    in_rows = ("`pip", *(f"{one.name} is held to" for one in lock.held))
    told = tuple(warning for warning in lock.warnings if not warning.startswith(in_rows))
    return Relaxed(releases.interpreter, replace(lock, warnings=told), tuple(rows))


@dataclass
class _Search:
    """Which Python keeps most of what is written. The promising ones are worked out, the others only counted."""

    lines: tuple[Line, ...]
    ask: Ask
    wish: PythonWish
    uv: Uv
    say: Callable[[str], None]
    budget: Budget

    def best(self, nearest_first: Sequence[Interpreter]) -> tuple[Draft, Releases]:
        first = Releases(self.ask, nearest_first[0], self.uv, self.say, self.budget)
        bad = {nearest_first[0]: self._reasons(first)}  # also tells whether the index answers at all
        gone = unreachable(self.lines, first)
        candidates = {nearest_first[0]: first}
        for interpreter in nearest_first[1:]:
            if not any(bad.values()) and self._at_most(first, bad[nearest_first[0]]) == self._everything():
                break  # the nearest Python may have all of it
            candidates[interpreter] = Releases(self.ask, interpreter, self.uv, self.say, self.budget)
            bad[interpreter] = self._reasons(candidates[interpreter])
        best: tuple[int, Draft, Releases] | None = None
        order = sorted(candidates, key=lambda one: -self._at_most(candidates[one], bad[one]))
        for interpreter in order:
            releases = candidates[interpreter]
            if best is not None and self._at_most(releases, bad[interpreter]) <= best[0]:
                break
            draft = self._drafted(bad[interpreter], gone, releases)
            score = draft.kept + self._for_python(interpreter)
            if best is None or score > best[0]:
                best = score, draft, releases
        assert best is not None
        return best[1], best[2]

    def _reasons(self, releases: Releases) -> Mapping[str, str]:
        self.say(f"asking the index what Python {releases.interpreter.version} can have")
        return reasons(self.lines, releases)

    def _drafted(self, bad: Mapping[str, str], gone: Mapping[str, str], releases: Releases) -> Draft:
        """The nearest set of one Python, in which everything without a wheel has been built once."""
        self.say(f"looking for the nearest set for Python {releases.interpreter.version}")
        as_asked = fits_but_for_its_patch(self.wish, releases.interpreter)
        for _ in range(_MOST_TRIALS):
            draft = nearest_set(self.lines, bad, gone, releases, as_asked=as_asked)
            failed = releases.built_on_trial(draft.versions)
            if not failed:
                return draft
            bad = {
                **bad,
                **{line.one.pointer: failed[line.name] for line in self.lines if line.name in failed},
            }
        return draft

    def _at_most(self, releases: Releases, bad: Mapping[str, str]) -> int:
        kept = sum(line.weight for line in self.lines if line.one.pointer not in bad)
        return kept + self._for_python(releases.interpreter)

    def _everything(self) -> int:
        return sum(line.weight for line in self.lines) + (_WEIGHT_OF_PYTHON if self.wish.binding else 0)

    def _for_python(self, interpreter: Interpreter) -> int:
        return (
            _WEIGHT_OF_PYTHON if self.wish.binding and fits_but_for_its_patch(self.wish, interpreter) else 0
        )


def _is_lost(draft: Draft, line: Line) -> bool:
    return draft.forms[line.one.pointer] is Form.OUT and stands_here_instead(line.name) is None


def _python_row(wish: PythonWish, taken: Interpreter, present: Sequence[Interpreter]) -> list[Relaxation]:
    if not wish.binding or fits(wish, taken):
        return []
    asked = said(wish)
    if fits_but_for_its_patch(wish, taken):
        why = "what is here of the same Python is another patch release"
    elif len({one.minor for one in present}) == 1:
        why = "it is the only Python here"
    elif any(fits_but_for_its_patch(wish, one) for one in present):
        why = f"Python {asked} is here too, but this one keeps more of what the file pins"
    else:
        why = f"Python {asked} is not here; of those that are, this one keeps most of what the file pins"
    return [Relaxation("python", asked, taken.version, why, wish.pointer)]


def _rows(lines: Sequence[Line], draft: Draft, lock: Lock) -> list[Relaxation]:
    rows = []
    for line in lines:
        at = line.one.pointer
        if draft.forms[at] is Form.WRITTEN:
            # The one thing that locking itself leaves out.
            if line.name == "pip" and not _fits(line, lock):
                why = "that pip does not run on this Python"
                rows.append(Relaxation("pip", line.asked, lock.versions.get("pip"), why, at))
            continue
        taken = lock.versions.get(line.name)  # what is left out may still be needed by others
        rows.append(Relaxation(line.name, without_credentials(line.asked), taken, draft.why[at], at))
    return rows


def _fits(line: Line, lock: Lock) -> bool:
    version = lock.versions.get(line.name)
    return line.requirement is None or version is None or line.requirement.specifier.contains(version)


def _companion_rows(companions: Sequence[Companion], lock: Lock) -> list[Relaxation]:
    return [
        Relaxation(
            one.name,
            "any",
            lock.versions.get(one.name),
            f"{one.brought_by} brought it along, and scripts read and write files with it",
            one.wanted.pointer,
        )
        for one in companions
    ]


def _held_rows(lines: Sequence[Line], lock: Lock, wish: PythonWish) -> list[Relaxation]:
    """What the file leaves open and is kept from its newest release."""
    named = names_of([line.one for line in lines])
    rows = []
    for held in lock.held:
        one = named.get(canonicalize_name(held.name))
        asked = line_of(one).asked if one is not None else "any"
        pointer = one.pointer if one is not None else wish.pointer.split("/dependencies")[0]
        rows.append(Relaxation(held.name, asked, held.limit, held.why, pointer))
    return rows
