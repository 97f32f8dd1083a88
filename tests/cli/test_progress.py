"""A job while it runs: plain lines, and the tree of a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from penstock.cli.live import LiveProgress, View
from penstock.client.progress import PlainProgress, clock, duration

COMMAND = {
    "name": "happy_frog",
    "type": "command",
    "status": "NotStarted",
    "services": {"Studio": {"endpoint": "http://x/"}},
}
PIPELINE = {**COMMAND, "type": "pipeline", "display_name": "taxi", "jobs": {"prep": {}, "train": {}}}


def shown(record: dict[str, Any], *events: dict[str, Any], **wishes: bool) -> str:
    texts: list[str] = []
    progress = PlainProgress(texts.append, record, **wishes)
    progress.start()
    for event in events:
        progress.event(event)
    progress.stop()
    return "".join(texts)


def test_a_command_job_is_streamed_as_azure_ml_does_it() -> None:
    """Head, log, summary."""
    text = shown(
        COMMAND,
        {"kind": "status", "status": "Running", "at": 1.0, "step": None},
        {"kind": "log", "text": "epoch", "step": None},
        {"kind": "log", "text": " 1\nepoch 2", "step": None},
        {"kind": "end", "status": "Completed", "error": None},
    )

    assert text == (
        "RunId: happy_frog\nWeb View: http://x/\n"
        "\nStreaming user_logs/std_log.txt\n===============================\n\n"
        "epoch 1\nepoch 2\n"
        "\nExecution Summary\n=================\nRunId: happy_frog\nWeb View: http://x/\n"
    )


def test_the_rule_is_ten_longer_than_the_files_name() -> None:
    """As the product draws it."""
    rule = shown(COMMAND, {"kind": "log", "text": "x", "step": None}).splitlines()[4]

    assert rule == "=" * (len("user_logs/std_log.txt") + 10)


def test_of_several_processes_the_primary_one_is_streamed_and_all_where_asked_for() -> None:
    """Its log has its own name, and the others' lines say whose they are."""
    events = (
        {"kind": "log", "text": "loss 1\n", "step": None, "log": "user_logs/std_log_process_0.txt"},
        {"kind": "log", "text": "ready\n", "step": None, "process": "process_1"},
    )

    usual, all_of_them = shown(COMMAND, *events), shown(COMMAND, *events, process_logs=True)

    assert "\nStreaming user_logs/std_log_process_0.txt\n" in usual
    assert usual.endswith("\nloss 1\n")
    assert all_of_them.endswith("\nloss 1\n[process_1] ready\n")


def test_a_pipeline_shows_statuses_and_not_its_steps_words() -> None:
    """Unless they are asked for."""
    events = (
        {"kind": "status", "status": "Running", "at": 1.0, "step": "prep"},
        {"kind": "log", "text": "reading\n", "step": "prep"},
        {"kind": "progress", "text": "building\nmore", "step": "prep"},
        {"kind": "status", "status": "Completed", "at": 2.0, "step": None},
    )

    quiet, full = shown(PIPELINE, *events), shown(PIPELINE, *events, step_logs=True)

    assert "Streaming logs/azureml/executionlogs.txt" in quiet
    assert f"[{clock(1.0)}] step prep: Running\n" in quiet
    assert f"[{clock(2.0)}] pipeline: Completed\n" in quiet
    assert "reading" not in quiet
    assert "[prep] reading\n[prep] building\n[prep] more\n" in full


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (760, "12:40"), (3753, "1:02:33"), (-3, "0:00")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """Hours only where there are some."""
    assert duration(seconds) == text


def test_the_view_follows_the_events() -> None:
    """Status, elapsed time and the last line of every step, in the order of the file."""
    view = View(PIPELINE)
    view.apply({"kind": "status", "step": "train", "status": "Queued", "at": 1.0}, 0)
    view.apply({"kind": "status", "step": "prep", "status": "Preparing", "at": 10.0}, 0)
    view.apply({"kind": "progress", "step": "prep", "text": "building\n"}, 0)
    view.apply({"kind": "status", "step": "prep", "status": "Running", "at": 12.0}, 0)
    view.apply({"kind": "log", "step": "prep", "text": "one\ntwo\n\n"}, 0)

    prep, train = view.steps["prep"], view.steps["train"]
    assert list(view.steps) == ["prep", "train"]
    assert (prep.status, prep.note, prep.elapsed(15.0)) == ("Running", "two", "0:05")
    assert (train.status, train.elapsed(15.0)) == ("Queued", "")

    view.apply({"kind": "status", "step": "prep", "status": "Completed", "at": 20.0}, 0)
    view.apply({"kind": "end", "status": "Failed"}, 21.0)

    assert (prep.note, prep.elapsed(99.0)) == ("", "0:10")
    assert view.root.status == "Failed"


def test_inner_steps_are_drawn_under_the_pipeline_that_they_are_in() -> None:
    """In the order of the file, each a level further right; the job that is followed is the root, also where it is a step."""
    record = {**PIPELINE, "jobs": {"outer": {"jobs": {"deep": {"jobs": {"one": {}}}}}, "read": {}}}
    out = io.StringIO()
    live = LiveProgress(record, Console(file=out, width=100, force_terminal=True, color_system=None))
    live.start()
    live.event({"kind": "status", "step": "outer/deep/one", "job": "x", "status": "Running", "at": 1.0})
    live.event({"kind": "status", "step": "outer", "job": "happy_frog", "status": "Failed", "at": 2.0})
    live.stop()

    last = out.getvalue().rsplit("taxi", 1)[1].splitlines()
    assert last[0].split() == ["Failed", "0:00"]
    drawn = [
        (line.index(name), name)
        for line, name in zip(last[1:], ("outer", "deep", "one", "read"), strict=False)
    ]
    assert drawn == [(4, "outer"), (8, "deep"), (12, "one"), (4, "read")]
    assert (
        len({line.index(status) for line, status in zip(last[1:4], ("NotSt", "NotSt", "Runn"), strict=True)})
        == 1
    )


@pytest.mark.parametrize("width", [20, 100])
def test_the_live_tree_is_drawn_at_any_width(width: int) -> None:
    """Step, status and time; a log with markup in it is only text."""
    out = io.StringIO()
    live = LiveProgress(PIPELINE, Console(file=out, width=width, force_terminal=True, color_system=None))
    live.start()
    live.event({"kind": "status", "step": "prep", "status": "Running", "at": 1.0})
    live.event({"kind": "log", "step": "prep", "text": "[/bold] [red]loss[/red] 0.1"})
    live.event({"kind": "end", "status": "Failed", "at": 3.0})
    live.stop()
    live.stop()

    text = out.getvalue()
    assert "prep" in text
    if width == 100:
        assert "[red]loss[/red] 0.1" in text
        assert "Failed" in text


def test_a_job_without_steps_shows_its_log_above_the_line() -> None:
    """Whole lines, the last one too."""
    out = io.StringIO()
    live = LiveProgress(COMMAND, Console(file=out, width=80, force_terminal=True, color_system=None))
    live.start()
    for text in ("one\ntw", "o\n[b]thr", "ee"):
        live.event({"kind": "log", "step": None, "text": text})
    live.stop()

    assert "two\n" in out.getvalue()
    assert "[b]three\n" in out.getvalue()
