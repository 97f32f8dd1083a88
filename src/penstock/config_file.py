"""The home's config file: what `penstock configure` and the `az` shim keep, one part of a JSON object each."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from penstock.errors import PenstockError
from penstock.settings import Home

# Any in this module: a part is whatever JSON object its owner makes of it.
Part = Mapping[str, Any]


def read(home: Home, part: str) -> dict[str, Any]:
    """One part of the file, empty where none was written. A file that cannot be read as such is an error that names it."""
    found = _whole(home).get(part, {})
    if not isinstance(found, dict):
        raise _damaged(home, f"`{part}` is no object")
    return found


def change(home: Home, part: str, changed: Callable[[dict[str, Any]], Part]) -> None:
    """Replace one part by what `changed` makes of it, in one step: a reader sees the old file or the new one.

    Two that change it at once come one after the other, so that neither loses what the other wrote.
    """
    import fcntl

    temporary = home.config.with_name(f"{home.config.name}.{os.getpid()}.part")
    try:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with home.config_lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            whole = _whole(home)
            found = whole.get(part, {})
            whole[part] = changed(found if isinstance(found, dict) else {})
            text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
            try:
                temporary.write_text(text, encoding="utf-8")
                temporary.replace(home.config)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise PenstockError(f"cannot write {home.config}: {error.strerror}") from error


def _whole(home: Home) -> dict[str, Any]:
    try:
        text = home.config.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise PenstockError(f"cannot read {home.config}: {error.strerror}") from error
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _damaged(home, str(error)) from error
    if not isinstance(found, dict):
        raise _damaged(home, "it is no object")
    return found


def _damaged(home: Home, why: str) -> PenstockError:
    import shlex

    return PenstockError(
        f"{home.config} is not what `penstock configure` writes",
        details=(why,),
        hint=f"remove it and set your defaults again: rm {shlex.quote(str(home.config))}",
    )
