"""What happens next to a job, as a table and as properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.jobs import statuses as st
from penstock.jobs.transitions import (
    Acknowledge,
    EndPipeline,
    MarkRunning,
    Prepare,
    RootView,
    StepView,
    Stop,
    next_actions,
)

ALL_STATUSES = sorted(st.LEGAL)
PIPELINE_STATUSES = sorted({st.NOT_STARTED, st.RUNNING, st.FINALIZING, st.CANCEL_REQUESTED, *st.TERMINAL})


def root(
    *steps: StepView, status: str = st.RUNNING, canceled: bool = False, goes_on: bool = True
) -> RootView:
    return RootView("p", status, canceled, goes_on, steps)


def step(key: str, status: str = st.NOT_STARTED, needs: tuple[str, ...] = ()) -> StepView:
    return StepView(f"p_{key}", key, status, frozenset(needs))


def test_steps_without_sources_are_prepared_together() -> None:
    """Nothing waits that does not have to."""
    actions = next_actions(root(step("a"), step("b"), step("c", needs=("a", "b"))))

    assert [action for action in actions if isinstance(action, Prepare)] == [Prepare("p_a"), Prepare("p_b")]


def test_a_step_is_prepared_when_its_last_source_completed() -> None:
    """One open source is enough to wait; none is enough to go."""
    waiting = root(step("a", st.COMPLETED), step("b", st.RUNNING), step("c", needs=("a", "b")))
    ready = root(step("a", st.COMPLETED), step("b", st.COMPLETED), step("c", needs=("a", "b")))

    assert not next_actions(waiting)
    assert next_actions(ready) == [Prepare("p_c")]


def test_a_failed_source_stops_what_reads_it_and_nothing_else() -> None:
    """continue_on_step_failure is true by default: independent steps still run."""
    actions = next_actions(root(step("a", st.FAILED), step("b"), step("c", needs=("a",))))

    assert actions[0] == Stop("p_c", "step `a`, whose output it reads, did not complete")
    assert Prepare("p_b") in actions


def test_a_failure_stops_everything_where_the_file_says_so() -> None:
    """continue_on_step_failure: false reaches running steps and those that wait."""
    steps = (step("a", st.FAILED), step("b", st.RUNNING), step("c"), step("d", st.FINALIZING))

    actions = next_actions(root(*steps, goes_on=False))

    assert {action.step for action in actions if isinstance(action, Stop)} == {"p_b", "p_c"}
    assert not [action for action in actions if isinstance(action, Prepare)]


def test_a_cancel_reaches_every_open_step_and_is_acknowledged() -> None:
    """What is finalizing has ended already; what was told once is not told again."""
    steps = (step("a", st.COMPLETED), step("b", st.RUNNING), step("c"), step("d", st.CANCEL_REQUESTED))

    actions = next_actions(root(*steps, canceled=True))

    assert {action.step for action in actions if isinstance(action, Stop)} == {"p_b", "p_c"}
    assert actions[-1] == Acknowledge("p")


@pytest.mark.parametrize(
    ("ends", "canceled", "expected"),
    [
        ((st.COMPLETED, st.COMPLETED), False, st.COMPLETED),
        ((st.COMPLETED, st.FAILED), False, st.FAILED),
        ((st.CANCELED, st.FAILED), False, st.FAILED),
        ((st.COMPLETED, st.CANCELED), False, st.CANCELED),
        ((st.CANCELED, st.CANCELED), True, st.CANCELED),
        ((st.COMPLETED, st.COMPLETED), True, st.CANCELED),
    ],
)
def test_a_pipeline_ends_as_its_steps_did(ends: tuple[str, ...], canceled: bool, expected: str) -> None:
    """Failed before Canceled before Completed."""
    steps = tuple(step(f"s{number}", end) for number, end in enumerate(ends))

    assert next_actions(root(*steps, canceled=canceled)) == [EndPipeline("p", expected)]


def test_a_new_pipeline_runs_at_once() -> None:
    """Users wait for Running; it does not wait for the first process."""
    assert MarkRunning("p") in next_actions(root(step("a"), status=st.NOT_STARTED))


def inner(key: str, status: str = st.NOT_STARTED) -> StepView:
    """A pipeline inside."""
    return StepView(f"p_{key}", key, status, is_pipeline=True)


def test_an_inner_pipeline_runs_once_a_step_in_it_is_on_its_way() -> None:
    """At all levels around that step at once, and no sooner."""
    around, within = inner("n"), inner("n/m")

    waiting = next_actions(root(around, within, step("n/m/a", needs=("x",)), step("x", st.RUNNING)))
    begun = next_actions(root(around, within, step("n/m/a", st.PREPARING)))

    assert not waiting
    assert begun == [MarkRunning("p_n"), MarkRunning("p_n/m")]


def test_an_inner_pipeline_ends_before_the_one_around_it() -> None:
    """One level at a time: to the outer one, the inner one is a step."""
    first = next_actions(root(inner("n", st.RUNNING), inner("n/m", st.RUNNING), step("n/m/a", st.FAILED)))
    then = next_actions(root(inner("n", st.RUNNING), inner("n/m", st.FAILED), step("n/m/a", st.FAILED)))

    assert first == [EndPipeline("p_n/m", st.FAILED)]
    assert then == [EndPipeline("p_n", st.FAILED)]


def test_an_inner_pipeline_whose_end_is_being_recorded_is_left_alone() -> None:
    """Nobody asks twice for the same end, and the job waits for it."""
    assert not next_actions(root(inner("n", st.FINALIZING), step("n/a", st.COMPLETED)))


@given(
    some.lists(
        some.tuples(some.sampled_from(["", "n/", "n/m/", "k/"]), some.sampled_from(ALL_STATUSES)), max_size=8
    ),
    some.lists(some.sampled_from(PIPELINE_STATUSES), min_size=3, max_size=3),
    some.booleans(),
    some.booleans(),
)
def test_reliability_23_rules_ask_for_legal_statuses_at_every_level(
    leaves: list[tuple[str, str]], pipelines: list[str], canceled: bool, goes_on: bool
) -> None:
    """Whatever the rows say, perhaps after a kill: no action names what has ended, and each may be carried out."""
    steps = [inner(key, status) for key, status in zip(("n", "n/m", "k"), pipelines, strict=True)]
    steps += [step(f"{above}s{number}", status) for number, (above, status) in enumerate(leaves)]
    status_of = {"p": st.RUNNING, **{each.name: each.status for each in steps}}

    for action in next_actions(root(*steps, canceled=canceled, goes_on=goes_on)):
        match action:
            case MarkRunning(name):
                assert st.may_follow(status_of[name], st.RUNNING)
            case Acknowledge(name):
                assert st.may_follow(status_of[name], st.CANCEL_REQUESTED)
            case EndPipeline(name, end):
                own = [each for each in steps if each.key.rpartition("/")[0] == name[2:]]
                assert all(each.status in st.TERMINAL for each in own)
                assert status_of[name] == st.NOT_STARTED or st.may_follow(status_of[name], end)
            case Prepare(name) | Stop(name, _):
                assert status_of[name] not in st.TERMINAL


@given(some.lists(some.sampled_from(ALL_STATUSES), min_size=1, max_size=6), some.booleans(), some.booleans())
def test_reliability_23_rules_never_touch_what_has_ended(
    statuses: list[str], canceled: bool, goes_on: bool
) -> None:
    """No action names a terminal step, none names a step twice, and the pipeline ends only when all steps have."""
    steps = [step(f"s{number}", status) for number, status in enumerate(statuses)]

    actions = next_actions(root(*steps, canceled=canceled, goes_on=goes_on))

    named = [action.step for action in actions if isinstance(action, Prepare | Stop)]
    ended = {each.name for each in steps if each.status in st.TERMINAL}
    assert not ended & set(named)
    assert len(named) == len(set(named))
    assert any(isinstance(action, EndPipeline) for action in actions) == (len(ended) == len(steps))


@given(some.lists(some.sampled_from(ALL_STATUSES), min_size=2, max_size=12))
def test_reliability_23_only_legal_transitions_lead_anywhere(walk: list[str]) -> None:
    """A walk over the table: once terminal, always the same."""
    status, ended = st.NOT_STARTED, None
    for following in walk:
        if st.may_follow(status, following):
            assert ended is None or following == ended
            status = following
            ended = status if status in st.TERMINAL else ended


def test_reliability_23_every_status_can_come_to_an_end() -> None:
    """From every open status a terminal one can be reached, so no job is open for ever."""
    reaching = set(st.TERMINAL)
    while True:
        more = {status for status, following in st.LEGAL.items() if following & reaching} - reaching
        if not more:
            break
        reaching |= more

    assert reaching == set(st.LEGAL)
