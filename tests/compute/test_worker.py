"""The parts of the small parent that can be looked at alone."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import vermin
from hypothesis import given
from hypothesis import strategies as st

from penstock.compute import local, worker
from tests.compute.interpreters import interpreters

_SOURCE = Path(worker.__file__)


def test_it_is_written_in_the_language_and_library_of_python_3_7() -> None:
    """The user's environment may be that old."""
    text = _SOURCE.read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))

    wanted = vermin.visit(text, vermin.Config()).minimum_versions()

    assert wanted[1] is None or wanted[1] <= (3, 7)


@pytest.mark.parametrize("python", interpreters(), ids=str)
def test_it_loads_quickly_because_it_loads_little(python: Path) -> None:
    """By name, not by time: none of the modules that double the start of Python is imported."""
    heavy = (
        "{'json', 're', 'enum', 'subprocess', 'ctypes', 'typing', 'pathlib', 'signal', 'contextlib', 'site'}"
    )
    code = local._BOOT.replace(
        "os._exit(worker.main())", f"worker.find_prctl(); print({heavy} & set(sys.modules))"
    )

    done = subprocess.run(
        [python, "-I", "-S", "-c", code, _SOURCE.parent], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"


def test_several_interpreters_were_tried() -> None:
    """At least the one that runs the tests was found, so that the parametrised tests are not empty."""
    assert interpreters()


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.text(st.characters(blacklist_categories=()))
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.none(),
    )
)
def test_its_json_is_json(record: dict[str, object]) -> None:
    """The small writer agrees with the real reader, whatever the text holds."""
    assert json.loads(worker.as_json(record)) == json.loads(json.dumps(record))


@given(
    chunks=st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b".")), max_size=12),
    limit=st.integers(min_value=2, max_value=120),
)
def test_a_log_keeps_its_beginning_and_its_end(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes], limit: int
) -> None:
    """However the output is cut into pieces, the kept bytes are the first and the last half of the limit."""
    path = tmp_path_factory.mktemp("log") / "log.txt"
    log = worker.Log(bytes(path), limit)
    printed = b"".join(chunks)

    for chunk in chunks:
        log.write(chunk)
    log.finish()

    kept = path.read_bytes()
    head, tail = limit // 2, limit - limit // 2
    assert log.refused == 0
    assert [found.name for found in path.parent.iterdir()] == ["log.txt"]
    if len(printed) <= limit:
        assert (kept, log.cut) == (printed, 0)
    else:
        assert kept.startswith(printed[:head] + b"\npenstock: this log has reached its limit")
        assert kept.endswith(b" bytes of the log were left out here\n" + printed[-tail:])
        assert log.cut == len(printed) - limit


def test_the_end_of_a_cut_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    """The first line after the cut is not the end of a longer one, and the count says what is missing."""
    log = worker.Log(bytes(tmp_path / "log.txt"), 100)
    printed = b"".join(b"line %04d\n" % n for n in range(1000))

    log.write(printed)
    log.finish()

    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert lines[:5] == [f"line {n:04}" for n in range(5)]
    assert lines[5].startswith("penstock: this log has reached its limit of 100 bytes")
    assert lines[6] == f"penstock: {len(printed) - 90} bytes of the log were left out here"
    assert lines[7:] == [f"line {n:04}" for n in range(996, 1000)]


def test_a_full_disk_never_stops_the_command(tmp_path: Path) -> None:
    """What cannot be written is counted, and what comes later is written again."""
    log = worker.Log(b"/dev/full", 1 << 20) if Path("/dev/full").exists() else pytest.skip("needs /dev/full")

    log.write(b"12345")

    assert log.refused == 5


def test_a_result_is_published_once(tmp_path: Path) -> None:
    """The first one stands, whoever comes second."""
    target = str(tmp_path / "result.json")

    first = worker.publish(str(tmp_path / "a"), b"first", target)
    second = worker.publish(str(tmp_path / "b"), b"second", target)

    assert (first, second) == (True, False)
    assert Path(target).read_bytes() == b"first"


def test_a_filesystem_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the file is renamed, still only where there is none."""

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)

    test_a_result_is_published_once(tmp_path)


def test_out_of_memory_counters_are_numbers() -> None:
    """Wherever they are read from, two readings can be compared."""
    first, second = worker.out_of_memory_kills(), worker.out_of_memory_kills()

    assert len(first) == len(second)
    assert all(after >= before for before, after in zip(first, second, strict=True))
    assert bool(first) == sys.platform.startswith("linux")
