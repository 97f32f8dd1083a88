"""Signed tokens: a small fact about the caller that only this server can have written.

A token is `pst1.<payload>.<signature>`: the payload is JSON, the signature HMAC-SHA256 over it with the home's secret.
It carries who calls (`owner`, `job`, `person`), in which workspace, for which job, until when, and an id for the log.
Nothing in it is secret from its holder; nothing in it can be changed by its holder.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from penstock.errors import NotAuthenticated, PenstockError

Kind = Literal["owner", "job", "person"]

_PREFIX = "pst1"
_SECRET_BYTES = 32
# A token travels in a header; nothing that we issue comes near this, and nothing longer is worth hashing.
_LONGEST_TOKEN = 4096


@dataclass(frozen=True)
class Caller:
    """Who is calling. `workspace` None: every workspace of this home. `job` names the job that holds the token.

    `settings` are the workspace settings that the caller's flags and environment override; they are part of no token.
    Those that name files of this machine are the owner's only.
    """

    kind: Kind
    workspace: str | None = None
    job: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def may_enter(self, workspace: str) -> bool:
        """Whether the caller belongs in this workspace at all."""
        return self.workspace is None or self.workspace == workspace


class Tokens:
    """Issues and verifies tokens with one secret. Has no state: a verified token needs no look-up."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SECRET_BYTES:
            raise ValueError(f"the secret has {len(secret)} bytes, at least {_SECRET_BYTES} are needed")
        self._secret = secret

    def issue(self, caller: Caller, expires_at: float) -> str:
        """A token for the caller that is good until `expires_at` (epoch seconds)."""
        if caller.kind == "job" and not (caller.workspace and caller.job):
            raise ValueError("a job's token names its workspace and its job")
        payload = {
            "kind": caller.kind,
            "workspace": caller.workspace,
            "job": caller.job,
            "expires": expires_at,
            "id": secrets.token_hex(8),
        }
        body = _encode(json.dumps(payload, separators=(",", ":"), sort_keys=True).encode())
        return f"{_PREFIX}.{body}.{_encode(self._signature(body))}"

    def verify(self, token: str, now: float) -> Caller:
        """The caller that the token names; NotAuthenticated where it is not ours or no longer good.

        Whoever forged or damaged a token learns only that it is not ours. That it has expired is told only to a holder
        of one that was.
        """
        parts = token.split(".") if len(token) <= _LONGEST_TOKEN and token.isascii() else []
        if len(parts) != 3 or parts[0] != _PREFIX:
            raise _not_ours()
        try:
            signature = _decode(parts[2])
        except (ValueError, binascii.Error) as error:
            raise _not_ours() from error
        if not hmac.compare_digest(signature, self._signature(parts[1])):
            raise _not_ours()
        return _caller_of(json.loads(_decode(parts[1])), now)

    def _signature(self, body: str) -> bytes:
        return hmac.new(self._secret, f"{_PREFIX}.{body}".encode(), hashlib.sha256).digest()


def secret_at(path: Path) -> bytes:
    """The home's secret; made on first need, mode 0600. Two processes that ask at once get the same one."""
    try:
        return _read_secret(path)
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # somebody was faster; a rename would replace what they already use
            os.link(fresh, path)
    finally:
        fresh.unlink()
    return _read_secret(path)


def _read_secret(path: Path) -> bytes:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise PenstockError(
            f"the signing secret {path} can be read by other users (mode {mode:04o})",
            details=("whoever reads it can issue tokens for every workspace of this home",),
            hint=f"remove it (`rm {path}`): the next start makes a new one, and tokens issued so far end",
        )
    secret = path.read_bytes()
    if len(secret) < _SECRET_BYTES:
        raise PenstockError(
            f"the signing secret {path} has {len(secret)} bytes instead of {_SECRET_BYTES}",
            hint=f"remove it (`rm {path}`): the next start makes a new one, and tokens issued so far end",
        )
    return secret


def _caller_of(payload: dict[str, Any], now: float) -> Caller:
    """The caller of a payload whose signature holds. `Any`: JSON."""
    expires = float(payload["expires"])
    if now >= expires:
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(expires))
        raise NotAuthenticated(
            f"the token expired at {when}",
            hint="`penstock env` prints a new one; a job gets a new one with its next run",
        )
    if payload["kind"] not in get_args(Kind):
        raise _not_ours()
    return Caller(kind=payload["kind"], workspace=payload["workspace"], job=payload["job"])


def _not_ours() -> NotAuthenticated:
    return NotAuthenticated(
        "the token was not issued by this server", hint="`penstock env` prints one that is"
    )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    # urlsafe_b64decode skips foreign characters; a signature has exactly one spelling here.
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(data) != text:
        raise ValueError("not in canonical form")
    return data
