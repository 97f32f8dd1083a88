"""Texts that were read and found good, kept in `golden/`."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def held_against(name: str, text: str) -> None:
    """Compare with the kept text; `PENSTOCK_WRITE_GOLDEN=1` keeps this one."""
    path = _FOLDER / name
    if _WRITE:
        _FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{name} is not kept yet: PENSTOCK_WRITE_GOLDEN=1 pytest tests/cli"
    assert text == path.read_text(encoding="utf-8")


# Read once, when the tests are collected: every test runs in an environment without our settings.
_WRITE = bool(os.environ.get("PENSTOCK_WRITE_GOLDEN"))
