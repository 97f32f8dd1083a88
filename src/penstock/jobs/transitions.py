"""What happens next to a job and its steps: an ordered list of rules, each a sentence.

A rule looks at one root job with its steps and names actions. It does nothing itself: the engine carries actions out.
Rules are asked in order; an action for a step settles that step, so a later rule does not speak about it again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from penstock.jobs import statuses as st


@dataclass(frozen=True)
class StepView:
    """What a rule may know about a step: its status, whether it was asked to end, and whose outputs it reads."""

    name: str
    key: str
    status: str
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RootView:
    """A root job with its steps. A standalone command job is its own only step."""

    name: str
    status: str
    cancel_requested: bool
    continue_on_step_failure: bool
    steps: Sequence[StepView] = field(default_factory=tuple)

    @property
    def by_key(self) -> Mapping[str, StepView]:
        return {step.key: step for step in self.steps}


@dataclass(frozen=True)
class Prepare:
    """Build the step's environment and lay out its folder."""

    step: str


@dataclass(frozen=True)
class Stop:
    """End the step's process; a step that has none is canceled at once. `because` is shown to the user."""

    step: str
    because: str


@dataclass(frozen=True)
class EndRoot:
    """The pipeline has its final status."""

    status: str


@dataclass(frozen=True)
class MarkRunning:
    """The pipeline's first step is on its way, so the pipeline runs."""


@dataclass(frozen=True)
class Acknowledge:
    """The pipeline was asked to end, and says so until its steps have ended."""


Action = Prepare | Stop | EndRoot | MarkRunning | Acknowledge


class Rule(Protocol):
    """One sentence about what happens next."""

    def actions(self, root: RootView) -> Iterator[Action]: ...


def _is_open(step: StepView) -> bool:
    return step.status not in st.TERMINAL


class ACanceledJobStopsEveryStep:
    """A cancel on the root reaches all of its steps."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.cancel_requested:
            for step in root.steps:
                if _is_open(step) and step.status not in (st.CANCEL_REQUESTED, st.FINALIZING):
                    yield Stop(step.name, "the job was canceled")


class AFailureStopsThePipelineUnlessItContinues:
    """With `continue_on_step_failure: false` the first failed step stops the others, running ones too."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.continue_on_step_failure:
            return
        failed = next((step for step in root.steps if step.status == st.FAILED), None)
        if failed is not None:
            for step in root.steps:
                if _is_open(step) and step.status not in (st.CANCEL_REQUESTED, st.FINALIZING):
                    yield Stop(step.name, f"step `{failed.key}` failed and continue_on_step_failure is false")


class AStepWhoseSourceDidNotCompleteNeverStarts:
    """What a failed or canceled step would have written is missing for all that read it."""

    def actions(self, root: RootView) -> Iterator[Action]:
        steps = root.by_key
        for step in root.steps:
            if step.status == st.NOT_STARTED:
                for key in sorted(step.needs):
                    if steps[key].status in (st.FAILED, st.CANCELED):
                        yield Stop(step.name, f"step `{key}`, whose output it reads, did not complete")
                        break


class AStepWhoseSourcesCompletedIsPrepared:
    """Steps without open sources start together; the compute's limit is asked later, when they are ready."""

    def actions(self, root: RootView) -> Iterator[Action]:
        steps = root.by_key
        for step in root.steps:
            if step.status == st.NOT_STARTED and all(steps[key].status == st.COMPLETED for key in step.needs):
                yield Prepare(step.name)


class APipelineRunsOnceAStepIsOnItsWay:
    """Running is what users wait for; it does not wait for the first process."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.status in (st.NOT_STARTED, st.PREPARING) and not root.cancel_requested:
            yield MarkRunning()


class ACancelIsAcknowledged:
    """Between the request and the end of the last process the pipeline is neither running nor canceled."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.cancel_requested and root.status in (st.NOT_STARTED, st.PREPARING, st.RUNNING):
            yield Acknowledge()


class APipelineEndsWhenEveryStepHasEnded:
    """Failed if any step failed; Canceled if any was canceled; Completed otherwise."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if any(_is_open(step) for step in root.steps):
            return
        ends = {step.status for step in root.steps}
        if st.FAILED in ends:
            yield EndRoot(st.FAILED)
        elif root.cancel_requested or st.CANCELED in ends:
            yield EndRoot(st.CANCELED)
        else:
            yield EndRoot(st.COMPLETED)


STEP_RULES: tuple[Rule, ...] = (
    ACanceledJobStopsEveryStep(),
    AFailureStopsThePipelineUnlessItContinues(),
    AStepWhoseSourceDidNotCompleteNeverStarts(),
    AStepWhoseSourcesCompletedIsPrepared(),
)
ROOT_RULES: tuple[Rule, ...] = (
    APipelineEndsWhenEveryStepHasEnded(),
    ACancelIsAcknowledged(),
    APipelineRunsOnceAStepIsOnItsWay(),
)


def next_actions(root: RootView) -> list[Action]:
    """What to do now. The first rule that speaks about a step (or about the root) is the one that counts."""
    settled: set[str] = set()
    actions: list[Action] = []
    for rule in STEP_RULES:
        for action in rule.actions(root):
            if isinstance(action, Prepare | Stop) and action.step not in settled:
                settled.add(action.step)
                actions.append(action)
    for rule in ROOT_RULES:
        first = next(rule.actions(root), None)
        if first is not None:
            return [*actions, first]
    return actions
