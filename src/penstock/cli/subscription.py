"""The subscription in the ids that are printed: a made-up one, or the one that `az account set` named.

The server knows none, for nothing here belongs to one. A script that sets a subscription compares ids with it, so the ids of a record
name it when they are shown.
"""

from typing import Any

from penstock.cli import config_file
from penstock.errors import PenstockError
from penstock.settings import Home

MADE_UP = "00000000-0000-0000-0000-000000000000"

# The part of the config file that holds the account.
PART = "account"

_IN_AN_ID = f"/subscriptions/{MADE_UP}/"


def with_subscription(record: Any, home: Home) -> Any:  # Any: what JSON can hold
    """The record, its ids in the subscription that counts."""
    try:
        subscription = config_file.read(home, PART).get("subscription")
    except PenstockError:
        # What the command did is done, and its result is not lost for a file that gives ids another look. Commands that need the
        # file say what is wrong with it before they act.
        return record
    if not isinstance(subscription, str) or subscription == MADE_UP:
        return record
    return _replaced(record, f"/subscriptions/{subscription}/")


def _replaced(value: Any, part: str) -> Any:
    if isinstance(value, str):
        return value.replace(_IN_AN_ID, part)
    if isinstance(value, dict):
        return {key: _replaced(each, part) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, part) for each in value]
    return value
