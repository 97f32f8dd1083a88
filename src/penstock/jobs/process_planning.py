"""How many processes on how many instances a step will be: the numbers of its file, with its bindings filled in."""

from collections.abc import Callable
from typing import Any

from penstock.errors import Problem
from penstock.jobs.plans import PlannedDistribution
from penstock.resources.numbers import whole_number

# The text of a number that may be bound to an input.
Filled = Callable[[str], str]

MOST_PROCESSES = 256
"""Of one step. Far more than a machine has cores; a mistake in a file is not to fill the process table."""


class ProcessPlanner:
    """Reads the settings of one step; what is wrong with them is added to `problems`, with its place in the document."""

    def __init__(self, pointer: str, filled: Filled, problems: list[Problem]) -> None:
        self._pointer = pointer
        self._filled = filled
        self._problems = problems

    def instances(self, resources: Any) -> int:
        """`resources.instance_count`; 1 where nothing is said."""
        given = resources.instance_count if resources is not None else 1
        return self._number(given, "resources/instance_count", least=1)

    def distribution(self, given: Any, instances: int) -> PlannedDistribution | None:
        """The distribution with all its counts; None where the step has none."""
        if given is None:
            return None
        if given.type == "tensorflow":
            workers = self._number(given.worker_count or instances, "distribution/worker_count", least=1)
            servers = self._number(
                given.parameter_server_count or 0, "distribution/parameter_server_count", least=0
            )
            self._bounded(workers + servers, "distribution")
            return PlannedDistribution("tensorflow", workers=workers, parameter_servers=servers)
        each = given.process_count_per_instance or 1
        processes = self._number(each, "distribution/process_count_per_instance", least=1)
        self._bounded(processes * instances, "distribution")
        return PlannedDistribution(given.type, processes_per_instance=processes)

    def fits(self, instances: int, compute: str, most: int | None) -> None:
        """More instances than a compute may ever have would wait for ever."""
        if most is not None and instances > most:
            self._add(
                "resources/instance_count",
                f"instance_count is {instances}, and compute `{compute}` has at most {most} (max_instances)",
                expected=f"at most {most}",
                hint=f"`penstock compute update -n {compute} --max-instances {instances}`, or ask for fewer",
            )

    def _number(self, given: int | str, place: str, *, least: int) -> int:
        number = whole_number(self._filled(str(given)))
        if number is None or number < least:
            wanted = f"a whole number, at least {least}"
            self._add(place, f"`{self._filled(str(given))}` is not {wanted}", expected=wanted)
            return least
        return number

    def _bounded(self, processes: int, place: str) -> None:
        if processes > MOST_PROCESSES:
            self._add(
                place,
                f"{processes} processes are more than a step may have here",
                expected=f"at most {MOST_PROCESSES}",
            )

    def _add(self, place: str, message: str, *, expected: str, hint: str | None = None) -> None:
        self._problems.append(Problem(f"{self._pointer}/{place}", message, expected, hint))
