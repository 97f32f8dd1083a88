"""Every group of `az` that is served here: where its commands live."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from penstock.cli.grammar import Command


@dataclass(frozen=True)
class Group:
    """One first word behind `az`. `alone`: the group is itself the command (`az login`)."""

    name: str
    summary: str
    module: str
    alone: bool = False

    def commands(self) -> Mapping[str, Command]:
        """Its commands by name. Imports the group's module: call it only for the group that was typed."""
        return {command.name: command for command in import_module(self.module).COMMANDS}


GROUPS: Mapping[str, Group] = {
    group.name: group
    for group in (
        Group("account", "Say which subscription and tenant count.", "penstock.az.account"),
        Group("acr", "Container registries: there is nothing to log in to.", "penstock.az.acr"),
        Group("cloud", "Say which cloud scripts think they are in.", "penstock.az.cloud"),
        Group("config", "Set, show and unset single settings.", "penstock.az.config"),
        Group(
            "configure",
            "Set defaults: workspace, resource group, location.",
            "penstock.cli.configure",
            alone=True,
        ),
        Group("extension", "Say that the extension `ml` is there.", "penstock.az.extension"),
        Group("group", "Resource groups: names that workspaces were created under.", "penstock.az.group"),
        Group(
            "login", "Answer a login; nothing is asked, sent or kept secret.", "penstock.az.login", alone=True
        ),
        Group("logout", "Forget who logged in.", "penstock.az.logout", alone=True),
        Group("provider", "Resource providers: all are registered.", "penstock.az.provider"),
        Group("resource", "Workspaces and registries, as resources.", "penstock.az.resource"),
        Group("version", "Print versions.", "penstock.az.version", alone=True),
    )
}
