"""Following a job: order, resuming, and characters that are cut in two."""

from typing import Any

from penstock.jobs import statuses as st
from penstock.jobs.streaming import Follower
from tests.jobs.conftest import Bench, step


def followed(bench: Bench, name: str, cursor: str = "0") -> list[dict[str, Any]]:
    """Everything that a follower reads until the job has ended."""
    follower = Follower(bench.database, bench.home, "demo", name)
    follower.resume(cursor)
    lines: list[dict[str, Any]] = []

    def ended() -> bool:
        lines.extend(follower.read())
        return follower.ended

    bench.until(ended)
    return lines


def test_the_primary_process_speaks_for_its_step_and_the_others_are_named(bench: Bench) -> None:
    """A follower gets all of them, each with its name and its file."""
    distribution = {"type": "mpi", "process_count_per_instance": 2}
    bench.create("j", **step("echo $OMPI_COMM_WORLD_RANK", distribution=distribution))

    said = [line for line in followed(bench, "j") if line["kind"] == "log"]

    assert {(line.get("process"), line["log"], line["text"]) for line in said} == {
        (None, "user_logs/std_log_process_0.txt", "0\n"),
        ("process_1", "user_logs/std_log_process_1.txt", "1\n"),
    }


def test_a_steps_last_words_come_before_the_news_of_its_end(bench: Bench) -> None:
    """Status lines keep their order; a log is complete when its step is said to have ended."""
    bench.create(jobs={"a": step("echo one; echo two")})

    lines = followed(bench, "p")

    kinds = [
        (line["kind"], line.get("status") or line.get("text")) for line in lines if line.get("step") == "a"
    ]
    said = [number for number, (kind, _) in enumerate(kinds) if kind == "log"]
    assert "".join(str(kinds[number][1]) for number in said) == "one\ntwo\n"
    assert said[-1] < kinds.index(("status", st.COMPLETED))
    statuses = [status for kind, status in kinds if kind == "status"]
    assert statuses == [each for each in bench_order() if each in statuses]
    assert lines[-1]["kind"] == "end"
    assert lines[-1]["status"] == st.COMPLETED


def bench_order() -> list[str]:
    """Azure ML's order."""
    return [st.NOT_STARTED, st.PREPARING, st.QUEUED, st.STARTING, st.RUNNING, st.FINALIZING, st.COMPLETED]


def test_whoever_lost_the_connection_goes_on_from_the_last_line(bench: Bench) -> None:
    """From every cursor on: nothing is said twice, nothing is left out."""
    bench.create(jobs={"a": step("echo one; sleep 0.1; echo two"), "b": step("echo three")})
    lines = followed(bench, "p")

    for number, line in enumerate(lines[:-1], start=1):
        rest = followed(bench, "p", line["cursor"])
        said = "".join(each["text"] for each in lines[number:] if each["kind"] == "log")
        again = "".join(each["text"] for each in rest if each["kind"] == "log")
        assert sorted(again) == sorted(said)
        assert rest[-1]["kind"] == "end"


def test_a_job_that_has_ended_can_still_be_streamed(bench: Bench) -> None:
    """Its present state, its whole log, its end."""
    bench.create("j", **step("printf 'grüß'"))
    bench.settle("j")

    lines = followed(bench, "j")

    assert [line["kind"] for line in lines] == ["progress", "log", "status", "end"]
    assert lines[1]["text"] == "grüß"


def test_a_character_that_is_cut_in_two_waits_for_its_other_half(bench: Bench) -> None:
    """A log is bytes; what is shown is text."""
    bench.create("j", **step("printf '\\xc3'; sleep 0.3; printf '\\xbc'"))

    text = "".join(line["text"] for line in followed(bench, "j") if line["kind"] == "log")

    assert text == "ü"
