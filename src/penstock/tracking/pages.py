"""What MLflow's pages get from us in place of MLflow: quiet answers for parts that are switched off, and beginnings.

The pages ask for a signed-in user, an assistant and a gateway wherever they are opened, and show an error where they
get none. The answers here say "none of these" in the words that the pages understand.
"""

import json
from collections.abc import Mapping

_NOTHING: Mapping[str, object] = {
    "2.0/mlflow/users/current": {},
    "2.0/mlflow/gateway-proxy": {"endpoints": []},
    "3.0/mlflow/assistant/config": {"providers": {}, "projects": {}, "remote_access_allowed": False},
    "3.0/mlflow/assistant/providers": {"providers": [], "resolved": None, "gateway_vendor_options": {}},
}

# What a browser that has never been here starts with: training rather than agents, no reports to MLflow's makers and no
# notice about them, the assistant's panel shut. Whatever a person chose before stays.
_FIRST_CHOICES: Mapping[str, str] = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.settings.telemetry.enabled_v1": "false",
    "mlflow.telemetry.info.alert.dismissed_v1": "true",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}


def nothing_there(method: str, target: str) -> bytes | None:
    """The answer for a part that is switched off; None where MLflow is to be asked."""
    if method != "GET" or not target.startswith("/ajax-api/"):
        return None
    said = _NOTHING.get(target.removeprefix("/ajax-api/"))
    return None if said is None else json.dumps(said).encode()


def first_page(page: bytes) -> bytes:
    """MLflow's page with our first choices before its own script, and without the button of its assistant."""
    choices = json.dumps(dict(_FIRST_CHOICES))
    added = (
        "<style>[data-assistant-ui]{display:none!important}</style>"
        f"<script>for(const[k,v]of Object.entries({choices}))"
        "if(localStorage.getItem(k)===null)localStorage.setItem(k,v)</script>"
    )
    return page.replace(b"<head>", b"<head>" + added.encode(), 1)


def server_info(body: bytes) -> bytes:
    """What the server is to its callers: one workspace, no gateway. Clients and pages then do not ask for either."""
    info = json.loads(body)
    info["workspaces_enabled"] = False
    info["features_enabled"] = {**info.get("features_enabled", {}), "gateway": False}
    return json.dumps(info).encode()
