"""Every noun of the command line: where its commands live, or that it is not supported yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from penstock.cli.grammar import Command


@dataclass(frozen=True)
class Noun:
    """One first word. `alone`: the noun is itself the command (`penstock status`)."""

    name: str
    summary: str
    alone: bool = False

    @property
    def module(self) -> str:
        # `registry` is this table's own name.
        return f"penstock.cli.{'registries' if self.name == 'registry' else self.name.replace('-', '_')}"

    def commands(self) -> Mapping[str, Command]:
        """Its commands by name. Imports the noun's module: call it only for the noun that was typed."""
        return {command.name: command for command in import_module(self.module).COMMANDS}


NOUNS: Mapping[str, Noun] = {
    noun.name: noun
    for noun in (
        Noun("workspace", "Create and look at workspaces: the unit of isolation."),
        Noun("registry", "Create and look at registries: what workspaces share."),
        Noun("environment", "Register the software that jobs run in."),
        Noun("data", "Register files and folders as versioned data."),
        Noun("datastore", "Name the folders and accounts where data lies."),
        Noun("model", "Register and look up models."),
        Noun("component", "Register commands and pipelines that pipelines are made of."),
        Noun("compute", "Say where, and how many at once, jobs may run."),
        Noun("job", "Run, follow, cancel and download jobs."),
        Noun("check", "List what a file needs that is not here yet, and create it.", alone=True),
        Noun(
            "validate", "Say everything that is wrong with a file of any kind. Needs no server.", alone=True
        ),
        Noun(
            "demo",
            "Train, evaluate and register a model end to end, on data that is already here.",
            alone=True,
        ),
        Noun("configure", "Set defaults: workspace, resource group, location, output.", alone=True),
        Noun("completion", "Complete command lines in bash, zsh and fish."),
        Noun(
            "az-shim", "Put an `az` before the real one, so that scripts for the cloud run here.", alone=True
        ),
        Noun("env", "Print what a notebook or script needs to reach MLflow.", alone=True),
        Noun("server", "Start, stop and look at the server."),
        Noun("status", "Say what is running.", alone=True),
        Noun("du", "Say what takes room on the disk, and how to remove it.", alone=True),
        Noun("gc", "Remove what nothing uses any more.", alone=True),
        Noun("version", "Print the version.", alone=True),
    )
}

# Groups of `az ml` that Penstock knows of and does not have yet. A group leaves this list when its module arrives.
NOT_YET = (
    "batch-deployment", "batch-endpoint", "connection", "feature-set", "feature-store",
    "feature-store-entity", "index", "online-deployment", "online-endpoint", "schedule", "workspace-hub",
    "serverless-endpoint", "marketplace-subscription", "capability-host", "deployment-template",
)  # fmt: skip

# Groups of `az ml` as it was before (the extension azure-cli-ml): old scripts still call them. With what came in their place.
FIRST_GENERATION: Mapping[str, str] = {
    "computetarget": "penstock compute create -n NAME --type amlcompute",
    "dataset": "penstock data create -f data.yml",
    "endpoint": "the groups `online-endpoint` and `batch-endpoint`",
    "experiment": "penstock job list",
    "folder": "penstock configure --defaults workspace=NAME",
    "pipeline": "penstock job create -f pipeline.yml",
    "run": "penstock job create -f job.yml",
    "service": "the groups `online-endpoint` and `online-deployment`",
}

# Commands of `az ml` in groups that we have, likewise.
COMMANDS_NOT_YET: Mapping[str, tuple[str, ...]] = {
    "workspace": (
        "diagnose", "list-keys", "sync-keys", "provision-network", "outbound-rule", "private-endpoint"
    ),
    "data": ("import", "import-status", "list-materialization-status", "mount"),
    "datastore": ("mount",),
    "model": ("package",),
    "component": ("init",),
    "compute": (
        "attach", "detach", "start", "stop", "restart", "list-nodes", "list-sizes", "list-usage", "connect-ssh",
        "enable-sso",
    ),
    "job": ("connect-ssh",),
}  # fmt: skip
