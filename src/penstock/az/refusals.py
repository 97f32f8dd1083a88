"""What `az` has and Penstock does not: each refused by name, with what serves the same purpose here where something does.

The table holds what public scripts around Azure ML call; the longest row that fits counts. What no row knows is refused all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from penstock.errors import PenstockError
from penstock.resources.nearest import nearest


class NotServed(PenstockError):
    """A command that only the cloud can serve; the real `az` gets it where there is one."""


class NotKnown(NotServed):
    """A command of which we do not know whether `az` has it: an extension may bring it, or it is mistyped."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True)
class Refusal:
    """What a command does in the cloud, and what to do here instead."""

    what: str
    instead: str | None = None


_WORKSPACE = "a workspace is made by `penstock workspace create -n NAME`; nothing else has to be there"
_FOLDER = "a folder stands for a container: `penstock datastore create -n NAME --path FOLDER`"
_DATA = "bring files in as data: `penstock data create -n NAME --path FILE_OR_FOLDER --type uri_folder`"
_IMAGE = "`penstock environment create -f environment.yml` takes a `build:` section with a Dockerfile"
_NO_LOGIN = "leave it out: who runs the command owns the home, and no login or role is asked for"
_VARIABLES = "give values to a job by `environment_variables`, or to Penstock by variables of the shell"
_JOBS = "run the training itself: `penstock job create -f FILE --stream`"
_FOLLOW = (
    "`penstock job stream -n NAME` follows a job, `penstock server logs` the server; metrics are in MLflow"
)
_RECORDS = "the same records: `penstock job show -n NAME -o json`, `penstock job list -o json`, and so for every noun"
_PATH_BACK = "see what this az serves: `az --help`; which az wins: `penstock az-shim --check`"

REFUSALS: Mapping[str, Refusal] = {
    "account get-access-token": Refusal(
        "issues a token of the cloud", "`penstock env` prints a token for Penstock's own MLflow"
    ),
    "account management-group": Refusal("manages groups of subscriptions"),
    "acr": Refusal("manages container registries", _IMAGE),
    "acr build": Refusal("builds an image in the cloud", _IMAGE),
    "acr create": Refusal("creates a container registry", _IMAGE),
    "ad": Refusal("manages the directory of users and applications", _NO_LOGIN),
    "ad app": Refusal("manages applications of the directory", _NO_LOGIN),
    "ad sp": Refusal("manages service principals", _NO_LOGIN),
    "ad sp create-for-rbac": Refusal("creates a service principal with a secret", _NO_LOGIN),
    "aks": Refusal("manages Kubernetes clusters", "every compute is this machine: `penstock compute create -n NAME --type amlcompute`"),
    "appservice": Refusal("manages plans of web applications"),
    "artifacts": Refusal("manages packages of Azure DevOps", _DATA),
    "bicep": Refusal("compiles templates of cloud resources", _WORKSPACE),
    "boards": Refusal("manages work items of Azure DevOps"),
    "cognitiveservices": Refusal("manages AI services"),
    "connectedk8s": Refusal("connects Kubernetes clusters"),
    "container": Refusal("runs containers in the cloud", _JOBS),
    "containerapp": Refusal("runs containers in the cloud", _JOBS),
    "cosmosdb": Refusal("manages databases"),
    "databricks": Refusal("manages Databricks workspaces"),
    "datafactory": Refusal("manages data factories"),
    "deployment": Refusal("creates cloud resources from a template", _WORKSPACE),
    "deployment group": Refusal("creates cloud resources from a template", _WORKSPACE),
    "deployment sub": Refusal("creates cloud resources from a template", _WORKSPACE),
    "deployment-scripts": Refusal("runs scripts during a deployment"),
    "devops": Refusal("manages Azure DevOps"),
    "eventgrid": Refusal("manages events between cloud services"),
    "eventhubs": Refusal("manages streams of events"),
    "extension": Refusal("manages extensions of the real az", "the extension ml is part of Penstock; nothing has to be added"),
    "feature": Refusal("registers previews of a subscription"),
    "feedback": Refusal("sends feedback to the makers of az"),
    "find": Refusal("asks a service of the cloud for examples", "the help of every command has examples: `az ml job create -h`"),
    "functionapp": Refusal("manages functions"),
    "group": Refusal("manages resource groups", "here a group is a name that workspaces are created under: `-g NAME`"),
    "identity": Refusal("manages managed identities", _NO_LOGIN),
    "interactive": Refusal("starts a shell of az", "`penstock completion` completes commands in your own"),
    "iot": Refusal("manages devices"),
    "k8s-extension": Refusal("installs extensions in Kubernetes clusters"),
    "keyvault": Refusal("manages vaults of keys and secrets", _VARIABLES),
    "keyvault secret": Refusal("reads and writes secrets of a vault", _VARIABLES),
    "lock": Refusal("locks cloud resources"),
    "logicapp": Refusal("manages workflows between cloud services"),
    "managementgroups": Refusal("manages groups of subscriptions"),
    "monitor": Refusal("reads logs and metrics of the cloud", _FOLLOW),
    "mysql": Refusal("manages databases"),
    "network": Refusal("manages networks", "nothing here is reached over a network: the server is a socket of yours"),
    "pipelines": Refusal("manages pipelines of Azure DevOps", _JOBS),
    "policy": Refusal("manages policies"),
    "postgres": Refusal("manages databases"),
    "ad signed-in-user": Refusal("reads the directory's entry of who is logged in", "`az account show --query user.name` is answered"),
    "redis": Refusal("manages caches"),
    "repos": Refusal("manages repositories of Azure DevOps"),
    "resource": Refusal("changes cloud resources", "`az resource list` and `show` are answered; `penstock workspace update -n NAME` changes a workspace"),
    "rest": Refusal("sends a request to an API of the cloud", _RECORDS),
    "role": Refusal("manages roles", _NO_LOGIN),
    "role assignment": Refusal("gives roles to people and applications", _NO_LOGIN),
    "search": Refusal("manages search services"),
    "servicebus": Refusal("manages queues"),
    "sql": Refusal("manages databases"),
    "stack": Refusal("manages deployed templates", _WORKSPACE),
    "staticwebapp": Refusal("manages web sites"),
    "storage": Refusal("manages storage accounts", _FOLDER),
    "storage account": Refusal("manages storage accounts", _FOLDER),
    "storage blob": Refusal("reads and writes blobs of a storage account", _DATA),
    "storage container": Refusal("manages containers of a storage account", _FOLDER),
    "storage fs": Refusal("reads and writes files of a data lake", _FOLDER),
    "synapse": Refusal("manages Synapse workspaces"),
    "tag": Refusal("tags cloud resources", "`penstock workspace update -n NAME --set tags.KEY=VALUE`"),
    "ts": Refusal("keeps templates", _WORKSPACE),
    "upgrade": Refusal("updates the real az", "this one is updated with Penstock: `pip install --upgrade penstock`"),
    "vm": Refusal("manages virtual machines", "every compute is this machine: `penstock compute create -n NAME --type amlcompute`"),
    "vmss": Refusal("manages sets of virtual machines"),
    "webapp": Refusal("manages web applications"),
}  # fmt: skip


# Further groups of the real az, of which no script around Azure ML was seen to call any: known, so that none is taken for a slip.
_OTHER_GROUPS = frozenset((
    "advisor", "afd", "ams", "apim", "appconfig", "aro", "arc", "automation", "backup", "batch", "batchai", "billing", "bot",
    "cache", "capacity", "cdn", "consumption", "costmanagement", "databoxedge", "desktopvirtualization", "disk",
    "disk-access", "disk-encryption-set", "dls", "dms", "dt", "elastic-san", "fleet", "fluid-relay", "grafana", "hdinsight",
    "healthcareapis", "image", "import-export", "iotcentral", "kusto", "lab", "load", "managed-cassandra", "managedapp",
    "managedservices", "maps", "mariadb", "netappfiles", "next", "notification-hub", "ppg", "powerbi",
    "private-link", "purview", "quantum", "quota", "relay", "reservations", "restore-point", "sapmonitor", "security",
    "self-test", "sentinel", "serial-console", "sf", "sig", "signalr", "snapshot", "spring", "ssh", "sshkey",
    "stream-analytics", "support", "survey", "term", "webpubsub",
))  # fmt: skip


def refusal_of(words: Sequence[str]) -> NotServed:
    """The error for a command that is not served, by its words."""
    typed = _command_words(words)
    name = " ".join(typed)
    for length in range(len(typed), 1, -1):
        refusal = REFUSALS.get(" ".join(typed[:length]))
        if refusal is not None:
            return refused(name, refusal)
    mistyped = _near_a_served_one(typed)
    if mistyped is not None:
        return mistyped
    refusal = REFUSALS.get(typed[0]) if typed else None
    if refusal is None and typed and typed[0] in _OTHER_GROUPS:
        refusal = Refusal("manages another service")
    return refused(name, refusal) if refusal is not None else _unknown(typed)


def refused(command: str, refusal: Refusal) -> NotServed:
    """What is said of a refused command: what it is, that nothing was done, and what to do instead."""
    return NotServed(
        _not_served([command]),
        details=(f"in the cloud it {refusal.what}",),
        hint=refusal.instead or _PATH_BACK,
    )


def _near_a_served_one(typed: Sequence[str]) -> NotServed | None:
    """The error for what looks like a mistyped command of a group that is served."""
    from penstock.az.registry import GROUPS

    group = GROUPS.get(typed[0]) if len(typed) > 1 else None
    near = nearest(typed[1], group.commands()) if group is not None else None
    if group is None or near is None:
        return None
    return NotKnown(_not_served(typed), hint=f"did you mean `az {group.name} {near}`?")


def _unknown(typed: Sequence[str]) -> NotServed:
    from penstock.az.registry import GROUPS

    if typed and typed[0] in GROUPS:
        return NotKnown(_not_served(typed), hint=f"`az {typed[0]} --help` lists what is")
    first_words = {"ml", *GROUPS, *(name.split()[0] for name in REFUSALS)}
    near = nearest(typed[0], first_words) if typed else None
    return NotKnown(_not_served(typed[:1]), hint=f"did you mean `az {near}`?" if near else _PATH_BACK)


def _not_served(typed: Sequence[str]) -> str:
    return f"`{' '.join(['az', *typed])}` is not served by Penstock: nothing was done"


def _command_words(words: Sequence[str]) -> list[str]:
    """The words before the first flag: a command's name, and never a value that follows a flag."""
    typed: list[str] = []
    for word in words[:4]:
        if not word.replace("-", "").replace("_", "").isalnum() or word.startswith("-"):
            break
        typed.append(word.lower())
    return typed
