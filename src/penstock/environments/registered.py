"""What a version was relaxed to when it was registered is taken again, whatever the machine and the indexes have today."""

from collections.abc import Sequence
from dataclasses import replace

from penstock.environments.conda_file import Wanted
from penstock.environments.credentials import without_credentials
from penstock.environments.interpreters import Interpreter, running_version
from penstock.environments.python_choice import choose_python
from penstock.environments.recipes import EnvironmentRequest, Recipe, recipe_of
from penstock.environments.relaxation import Registered, Relaxation
from penstock.errors import Problem


def as_registered(
    request: EnvironmentRequest, written: Recipe, present: Sequence[Interpreter]
) -> tuple[Recipe, Interpreter] | None:
    """What the version pins, and the Python that it pins; None where there is nothing of it, or that Python is gone.

    `written` is what its author wrote: the credentials of addresses are there, and nowhere else.
    """
    if request.registered is None:
        return None
    pinned = recipe_of(replace(request, conda=request.registered.conda, relax=False, registered=None))
    lines = {without_credentials(one.requirement): one.requirement for one in written.ask.wanted}
    wanted = tuple(
        replace(one, requirement=lines.get(one.requirement, one.requirement)) for one in pinned.ask.wanted
    )
    choice = choose_python(pinned.wish, present, nearest_allowed=False, running=running_version())
    if isinstance(choice, Problem) or pinned.problems or any(map(_is_masked, wanted)):
        return None
    ask = replace(written.ask, wanted=wanted)
    return replace(pinned, ask=ask), choice.interpreter


def differences_on(interpreter: Interpreter, registered: Registered) -> tuple[Relaxation, ...]:
    """The differences as they were registered; of the Python another patch release may be here today."""
    return tuple(
        replace(row, taken=interpreter.version) if row.what == "python" else row
        for row in registered.relaxations
    )


def _is_masked(one: Wanted) -> bool:
    """Its address had credentials, which were not kept."""
    return "***" in one.requirement
