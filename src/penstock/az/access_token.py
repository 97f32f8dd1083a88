"""`az account get-access-token`: a token for Penstock's own address, and for nobody else.

A token of ours would be sent to the cloud by a script that takes it for the cloud's, and a made-up one would fail there without a word
about why. A script that only makes sure of its login is told that there is one.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from penstock.az import subscriptions
from penstock.az.refusals import REFUSALS, refused
from penstock.cli.invocation import Invocation
from penstock.errors import PenstockError

_SECONDS = 3600  # as long as the cloud's are good for


def answer(invocation: Invocation) -> dict[str, Any] | None:  # Any: a record as `az` prints it
    """The record, None where nothing is read off it; otherwise it is refused."""
    arguments = invocation.arguments
    target = arguments.resource or (arguments.scope or [None])[0]
    if target and urlsplit(target).hostname in ("127.0.0.1", "localhost", "::1"):
        return _for_penstock(invocation, target)
    if arguments.output == "none":
        return None
    if arguments.query and "token" not in arguments.query.lower():
        return _without_a_token(invocation)
    raise refused("account get-access-token", REFUSALS["account get-access-token"])


def _for_penstock(invocation: Invocation, target: str) -> dict[str, Any]:
    issued = invocation.client.workspaces.token(_SECONDS)
    own = urlsplit(str(issued["mlflow_tracking_uri"]))
    if own.port != urlsplit(target).port:
        raise PenstockError(
            f"{target} is not Penstock's address, and its token is for nobody else",
            hint=f"Penstock is at {own.scheme}://{own.netloc}",
        )
    expires = datetime.fromisoformat(str(issued["expires_at"])).astimezone()
    return {
        "accessToken": issued["token"],
        "expiresOn": expires.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "expires_on": int(expires.timestamp()),
        **_without_a_token(invocation),
    }


def _without_a_token(invocation: Invocation) -> dict[str, Any]:
    account = subscriptions.read(invocation.home)
    return {"subscription": account.subscription, "tenant": account.tenant, "tokenType": "Bearer"}
