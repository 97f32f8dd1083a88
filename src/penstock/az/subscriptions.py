"""Which subscription, tenant and person scripts are told about. Kept in the home's config file; no secret ever is.

Nothing here belongs to a subscription. Scripts ask for one to build ids and to pass it back, so there always is one: that of all ids
that Penstock prints, until a script sets its own.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from penstock import config_file
from penstock.errors import PenstockError
from penstock.settings import Home
from penstock.subscription import MADE_UP, PART, subscription_in

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """Who is logged in, and to what. `names` has every known subscription's name by its id, the first known first."""

    subscription: str = MADE_UP
    tenant: str = MADE_UP
    cloud: str = "AzureCloud"
    user: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def read(home: Home) -> Account:
    """The account of a home."""
    return _account_of(config_file.read(home, PART))


def change(home: Home, **values: object) -> Account:
    """Replace some fields; the account as it is then."""
    config_file.change(home, PART, lambda kept: {**kept, **values})
    return read(home)


def forget(home: Home) -> None:
    """Back to the account that every home has."""
    config_file.change(home, PART, lambda _: {})


def select(home: Home, wanted: str, **values: object) -> Account:
    """Make a subscription the one that counts, by its id or its name; one that is not known yet is from now on."""

    def changed(kept: dict[str, Any]) -> Mapping[str, Any]:
        account = knowing(_account_of(kept), wanted)
        chosen = id_of(account, wanted)
        # The made-up one has served its purpose, unless it is the one that was asked for.
        names = {each: name for each, name in account.names.items() if chosen == MADE_UP or each != MADE_UP}
        return {**kept, **values, "subscription": chosen, "names": names}

    config_file.change(home, PART, changed)
    return read(home)


def id_of(account: Account, wanted: str) -> str:
    """The id of a subscription that is named by its id or its name, whatever the case. An empty text names none."""
    if not wanted.strip() or not wanted.isprintable():
        what = f"{wanted!a}, which holds what cannot be printed" if wanted.strip() else "an empty text"
        raise PenstockError(f"the subscription is {what}", hint="az account set --subscription ID_OR_NAME")
    for identity, name in account.names.items():
        if wanted.lower() in (identity.lower(), name.lower()):
            return identity
    return wanted.lower() if is_guid(wanted) else guid_of(wanted)


def knowing(account: Account, wanted: str) -> Account:
    """The account with this subscription among those it knows."""
    name = "Penstock" if is_guid(wanted) else wanted
    return replace(account, names={id_of(account, wanted): name, **account.names})


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def guid_of(text: str) -> str:
    """A GUID that stands for a name: always the same for the same name."""
    import hashlib

    digits = hashlib.sha256(text.lower().encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def person() -> Mapping[str, str]:
    """Who is logged in where nobody has logged in: the user of this machine."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user that has a number only, as in some containers
        name = str(os.getuid())
    return {"name": name, "type": "user"}


def _account_of(kept: Mapping[str, Any]) -> Account:
    names = {key: str(name) for key, name in _object(kept.get("names")).items()}
    subscription = subscription_in(kept)
    names.setdefault(subscription, "Penstock")
    return Account(
        subscription=subscription,
        tenant=str(kept.get("tenant") or MADE_UP),
        cloud=str(kept.get("cloud") or "AzureCloud"),
        user=_object(kept.get("user")) or person(),
        names=names,
    )


def _object(value: object) -> dict[str, Any]:
    """What is no object was not written by us, and counts as nothing."""
    return dict(value) if isinstance(value, dict) else {}


def shown(account: Account, identity: str | None = None, *, listed: bool = False) -> dict[str, Any]:
    """A subscription as `az account show` prints it; `listed`, as `az account list` and `az login` do."""
    identity = identity or account.subscription
    return {
        "cloudName" if listed else "environmentName": account.cloud,
        "homeTenantId": account.tenant,
        "id": identity,
        "isDefault": identity == account.subscription,
        "managedByTenants": [],
        "name": account.names[identity],
        "state": "Enabled",
        "tenantId": account.tenant,
        "user": dict(account.user),
    }


def listed(account: Account) -> list[dict[str, Any]]:
    """Every known subscription."""
    return [shown(account, identity, listed=True) for identity in account.names]
