"""The subscription in every long id: a made-up one, or the one that `az account set` named.

Nothing here belongs to one. Scripts build ids from theirs and compare ids with it, so there is one answer for all: the server puts it
into records and into the variables of steps, and `az account show` prints it.
"""

from collections.abc import Mapping

from penstock import config_file
from penstock.errors import PenstockError
from penstock.settings import Home

MADE_UP = "00000000-0000-0000-0000-000000000000"

# The part of the config file that holds the account.
PART = "account"


def subscription_of(home: Home) -> str:
    """The subscription that counts now. Whoever changes it need not tell anybody: it is read each time."""
    try:
        return subscription_in(config_file.read(home, PART))
    except PenstockError:
        # A damaged file stops the commands that need it, which say what is wrong; no job or record is lost for it.
        return MADE_UP


def subscription_in(account: Mapping[str, object]) -> str:
    """The subscription of an account as it is kept."""
    found = account.get("subscription")
    return found if isinstance(found, str) and found else MADE_UP
