"""What `az` alone shows where Penstock serves it."""

import os

from penstock import __version__
from penstock.az.registry import GROUPS
from penstock.cli.az_on_path import real_az
from penstock.cli.help import section


def root_help() -> str:
    """The groups that are served, and where the rest goes."""
    real = real_az(os.environ)
    rest = f"goes to {real}" if real else "is refused by name: no other az is installed"
    rows = [("ml", "Workspaces, assets, computes and jobs: `az ml …` is `penstock …`.")]
    rows += [(group.name, group.summary) for group in GROUPS.values()]
    return "\n".join(
        [
            f"az, served by Penstock {__version__}: scripts for Azure ML v2 run where you are.",
            "",
            "usage: az GROUP [COMMAND] [ARGUMENTS]",
            "",
            *section("Groups", rows),
            f"Everything else {rest}.",
            "`az GROUP --help` lists a group's commands, `az GROUP COMMAND --help` its arguments and examples.",
            "`penstock az-shim --check` says which az wins, `penstock az-shim --undo` takes this one off PATH.",
            "",
        ]
    )
