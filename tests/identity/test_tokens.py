"""Tokens: only we can write one, and it says who calls, where and until when."""

import base64
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import NotAuthenticated, PenstockError
from penstock.identity.tokens import Caller, Tokens, secret_at

SECRET = bytes(range(32))
OWNER = Caller("owner")
JOB = Caller("job", "demo", "brave_tree_1")


@pytest.mark.parametrize("caller", [OWNER, JOB, Caller("person", "demo")])
def test_a_token_names_its_caller(caller: Caller) -> None:
    """What was issued comes back."""
    tokens = Tokens(SECRET)

    token = tokens.issue(caller, expires_at=1000.0)

    assert tokens.verify(token, now=999.0) == caller


def test_an_expired_token_says_when_it_ended() -> None:
    """The holder of a real token may know that it is too old."""
    token = Tokens(SECRET).issue(OWNER, expires_at=0.0)

    with pytest.raises(NotAuthenticated, match="expired at 1970-01-01 00:00:00 UTC"):
        Tokens(SECRET).verify(token, now=0.0)


def _changed(token: str, **fields: object) -> str:
    prefix, body, signature = token.split(".")
    payload = {**json.loads(base64.urlsafe_b64decode(body + "==")), **fields}
    changed = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"{prefix}.{changed}.{signature}"


def _forgeries() -> dict[str, str]:
    good = Tokens(SECRET).issue(JOB, expires_at=1000.0)
    prefix, body, signature = good.split(".")
    last = "A" if signature[-1] != "A" else "Q"
    return {
        "nothing": "",
        "a word": "secret",
        "other secret": Tokens(bytes(32)).issue(JOB, expires_at=1000.0),
        "other workspace": _changed(good, workspace="prod"),
        "other kind": _changed(good, kind="owner"),
        "later end": _changed(good, expires=1e12),
        "no signature": f"{prefix}.{body}.",
        "cut signature": f"{prefix}.{body}.{signature[:-4]}",
        "changed signature": f"{prefix}.{body}.{signature[:-1]}{last}",
        "signature in another spelling": f"{prefix}.{body}.{signature}=",
        "signature with a newline": f"{prefix}.{body}.{signature}\n",
        "other prefix": f"pst2.{body}.{signature}",
        "one part more": f"{good}.x",
        "a JWT without algorithm": "eyJhbGciOiJub25lIn0.eyJraW5kIjoib3duZXIifQ.",
        "not ASCII": good + "é",
        "very long": good + "A" * 100_000,
    }


@pytest.mark.parametrize("name", _forgeries())
def test_a_forged_token_learns_only_that_it_is_not_ours(name: str) -> None:
    """No reason tells a forger which part was wrong."""
    with pytest.raises(NotAuthenticated) as raised:
        Tokens(SECRET).verify(_forgeries()[name], now=0.0)

    assert raised.value.message == "the token was not issued by this server"


def test_two_tokens_of_one_caller_differ() -> None:
    """Each has an id of its own."""
    tokens = Tokens(SECRET)

    assert tokens.issue(OWNER, 1.0) != tokens.issue(OWNER, 1.0)


def test_a_jobs_token_names_its_job() -> None:
    """A job's token for every workspace cannot be made by mistake."""
    with pytest.raises(ValueError, match="names its workspace and its job"):
        Tokens(SECRET).issue(Caller("job"), expires_at=1.0)


def test_a_short_secret_is_refused() -> None:
    """An empty file must not become a key."""
    with pytest.raises(ValueError, match="at least 32"):
        Tokens(b"short")


def test_a_caller_of_one_workspace_stays_there() -> None:
    """The owner goes everywhere."""
    assert JOB.may_enter("demo")
    assert not JOB.may_enter("prod")
    assert OWNER.may_enter("prod")


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600, the same bytes ever after, nothing else left in the folder."""
    path = tmp_path / "home" / "secret.key"

    first = secret_at(path)

    assert len(first) == 32
    assert secret_at(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_get_one_secret(tmp_path: Path) -> None:
    """Whoever is slower takes what is there."""
    path = tmp_path / "secret.key"
    program = f"from penstock.identity.tokens import *; print(secret_at(Path({str(path)!r})).hex())"

    children = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    printed = {child.communicate()[0].strip() for child in children}

    assert printed == {path.read_bytes().hex()}


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """It may have been copied; the way out is said."""
    path = tmp_path / "secret.key"
    secret_at(path)
    path.chmod(0o644)

    with pytest.raises(PenstockError, match="can be read by other users") as raised:
        secret_at(path)

    assert "rm " in (raised.value.hint or "")


def test_a_cut_secret_is_refused(tmp_path: Path) -> None:
    """A disk that was full leaves no weak key."""
    path = tmp_path / "secret.key"
    path.write_bytes(b"12")
    path.chmod(0o600)

    with pytest.raises(PenstockError, match="2 bytes instead of 32"):
        secret_at(path)
