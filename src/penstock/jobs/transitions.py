"""What happens next to a job and its steps: an ordered list of rules, each a sentence.

A rule looks at one root job with all its steps, those of inner pipelines too, and names actions. It does nothing itself:
the engine carries actions out. Rules are asked in order; an action for a step or pipeline settles it, so a later rule does
not speak about it again. Only commands wait for one another: an inner pipeline is what its steps make of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from penstock.jobs import statuses as st


@dataclass(frozen=True)
class StepView:
    """What a rule may know about a step: its status, and whose outputs it reads. `key` is its path in the job."""

    name: str
    key: str
    status: str
    needs: frozenset[str] = frozenset()
    is_pipeline: bool = False


@dataclass(frozen=True)
class RootView:
    """A root job with all its steps. A standalone command job (`is_pipeline` false) is its own only step."""

    name: str
    status: str
    cancel_requested: bool
    continue_on_step_failure: bool
    steps: Sequence[StepView] = field(default_factory=tuple)
    is_pipeline: bool = True

    @property
    def by_key(self) -> Mapping[str, StepView]:
        return {step.key: step for step in self.steps}

    @property
    def commands(self) -> Iterator[StepView]:
        return (step for step in self.steps if not step.is_pipeline)

    @property
    def pipelines(self) -> Iterator[StepView]:
        """Those that may still change: inner ones, and the job itself with an empty key."""
        inner = (step for step in self.steps if step.is_pipeline)
        itself = (StepView(self.name, "", self.status, is_pipeline=True),) if self.is_pipeline else ()
        return (each for each in (*inner, *itself) if _is_open(each) and each.status != st.FINALIZING)

    @property
    def statuses_within(self) -> Mapping[str, Sequence[str]]:
        """The statuses of each pipeline's own steps, by the pipeline's key."""
        within: dict[str, list[str]] = {}
        for step in self.steps:
            within.setdefault(step.key.rpartition("/")[0], []).append(step.status)
        return within


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
class EndPipeline:
    """The pipeline, the job's own or an inner one, has its final status."""

    pipeline: str
    status: str


@dataclass(frozen=True)
class MarkRunning:
    """The pipeline's first step is on its way, so the pipeline runs."""

    pipeline: str


@dataclass(frozen=True)
class Acknowledge:
    """The pipeline was asked to end, and says so until its steps have ended."""

    pipeline: str


Action = Prepare | Stop | EndPipeline | MarkRunning | Acknowledge


class Rule(Protocol):
    """One sentence about what happens next."""

    def actions(self, root: RootView) -> Iterator[Action]: ...


def _is_open(step: StepView) -> bool:
    return step.status not in st.TERMINAL


class ACanceledJobStopsEveryStep:
    """A cancel on the root reaches all of its steps."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.cancel_requested:
            for step in root.commands:
                if _is_open(step) and step.status not in (st.CANCEL_REQUESTED, st.FINALIZING):
                    yield Stop(step.name, "the job was canceled")


class AFailureStopsThePipelineUnlessItContinues:
    """With `continue_on_step_failure: false` the first failed step stops all others, at every level, running ones too."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.continue_on_step_failure:
            return
        failed = next((step for step in root.commands if step.status == st.FAILED), None)
        if failed is not None:
            for step in root.commands:
                if _is_open(step) and step.status not in (st.CANCEL_REQUESTED, st.FINALIZING):
                    yield Stop(step.name, f"step `{failed.key}` failed and continue_on_step_failure is false")


class AStepWhoseSourceDidNotCompleteNeverStarts:
    """What a failed or canceled step would have written is missing for all that read it."""

    def actions(self, root: RootView) -> Iterator[Action]:
        steps = root.by_key
        for step in root.commands:
            if step.status == st.NOT_STARTED:
                for key in sorted(step.needs):
                    if steps[key].status in (st.FAILED, st.CANCELED):
                        yield Stop(step.name, f"step `{key}`, whose output it reads, did not complete")
                        break


class AStepWhoseSourcesCompletedIsPrepared:
    """Steps without open sources start together; the compute's limit is asked later, when they are ready."""

    def actions(self, root: RootView) -> Iterator[Action]:
        steps = root.by_key
        for step in root.commands:
            if step.status == st.NOT_STARTED and all(steps[key].status == st.COMPLETED for key in step.needs):
                yield Prepare(step.name)


class APipelineRunsOnceAStepIsOnItsWay:
    """Running is what users wait for; it does not wait for the first process. The job itself runs at once."""

    def actions(self, root: RootView) -> Iterator[Action]:
        on_their_way = {
            step.key for step in root.commands if step.status not in (st.NOT_STARTED, st.CANCELED)
        }
        running = {above for key in on_their_way for above in _above(key)}
        for pipeline in root.pipelines:
            is_new = pipeline.status in (st.NOT_STARTED, st.PREPARING)
            if is_new and not root.cancel_requested and (not pipeline.key or pipeline.key in running):
                yield MarkRunning(pipeline.name)


class APipelineEndsWhenEveryStepHasEnded:
    """Inner ones first: to the pipeline around it, an inner pipeline is a step that ends."""

    def actions(self, root: RootView) -> Iterator[Action]:
        within = root.statuses_within
        for pipeline in root.pipelines:
            ends = within.get(pipeline.key, ())
            if all(status in st.TERMINAL for status in ends):
                yield EndPipeline(pipeline.name, end_of(ends, cancel_requested=root.cancel_requested))


class ACancelIsAcknowledged:
    """Between the request and the end of the last process a pipeline is neither running nor canceled."""

    def actions(self, root: RootView) -> Iterator[Action]:
        if root.cancel_requested:
            for pipeline in root.pipelines:
                if pipeline.status in (st.NOT_STARTED, st.PREPARING, st.RUNNING):
                    yield Acknowledge(pipeline.name)


def end_of(ends: Iterable[str], *, cancel_requested: bool) -> str:
    """How a pipeline ends whose steps ended so: Failed if any failed, Canceled if any was canceled, else Completed."""
    ends = set(ends)
    if st.FAILED in ends:
        return st.FAILED
    return st.CANCELED if cancel_requested or st.CANCELED in ends else st.COMPLETED


def _above(key: str) -> Iterator[str]:
    """The paths of the pipelines that a step is in."""
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


STEP_RULES: tuple[Rule, ...] = (
    ACanceledJobStopsEveryStep(),
    AFailureStopsThePipelineUnlessItContinues(),
    AStepWhoseSourceDidNotCompleteNeverStarts(),
    AStepWhoseSourcesCompletedIsPrepared(),
)
PIPELINE_RULES: tuple[Rule, ...] = (
    APipelineRunsOnceAStepIsOnItsWay(),
    APipelineEndsWhenEveryStepHasEnded(),
    ACancelIsAcknowledged(),
)


def next_actions(root: RootView) -> list[Action]:
    """What to do now. The first rule that speaks about a step or a pipeline is the one that counts."""
    actions: dict[str, Action] = {}
    for rule in (*STEP_RULES, *PIPELINE_RULES):
        for action in rule.actions(root):
            named = action.step if isinstance(action, Prepare | Stop) else action.pipeline
            actions.setdefault(named, action)
    return list(actions.values())
