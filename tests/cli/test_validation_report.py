"""The report of `data validate`, as terminals and browsers get it."""

from typing import Any

from penstock.cli.validation_report import report_file, text_of

_HOSTILE = "a\x1b[31m<script>\u202e"


def _record() -> dict[str, Any]:
    """One failing result of a column and a value that somebody else has named."""
    failed = {
        "name": f"{_HOSTILE}.allowed", "rule": "allowed", "status": "failed", "expected": "one of q",
        "observed": f"`{_HOSTILE}`", "examples": [{"row": 1, "value": _HOSTILE}],
    }  # fmt: skip
    return {
        "data": {"path": f"/tmp/{_HOSTILE}"}, "passed": False, "rows": 1, "columns": 1, "results": [failed],
        "counts": {"passed": 0, "failed": 1, "warning": 0, "not_applicable": 0},
        "validated_at": "2024-01-01T00:00:00+00:00", "expectations": {"source": "e.yml", "digest": "0" * 64},
    }  # fmt: skip


def test_a_terminal_obeys_nothing_that_stands_in_data() -> None:
    """Names of columns are as foreign as values are."""
    found = text_of(_record())

    assert "<script>" in found
    assert all(sign.isprintable() or sign == "\n" for sign in found)


def test_a_page_runs_nothing_that_stands_in_data() -> None:
    """In HTML, and in Markdown, which may hold HTML."""
    for as_html in (True, False):
        assert "<script>" not in report_file(_record(), as_html)
