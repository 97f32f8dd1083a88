"""The flags that several commands share, spelled and worded once."""

import re

from penstock.cli.grammar import Argument, at_least_one
from penstock.errors import PenstockError

FILE = Argument(("--file", "-f"), "Path of the YAML file.", metavar="FILE")
FILE_REQUIRED = Argument(("--file", "-f"), "Path of the YAML file.", metavar="FILE", required=True)
SET = Argument(
    ("--set",),
    "Replace a property of the file before it is checked: `--set inputs.rate=0.1 settings.force_rerun=true`.",
    takes="values",
    metavar="PATH=VALUE",
)
NAME = Argument(("--name", "-n"), "Name; counts before the file's.")
VERSION = Argument(
    ("--version", "-v"), "Version; counts before the file's. The next whole number when left out."
)
DESCRIPTION = Argument(("--description",), "Description; counts before the file's.", metavar="TEXT")
TAGS = Argument(
    ("--tags",), "Tags, as `key=value`; they count before the file's.", takes="values", metavar="KEY=VALUE"
)
NO_WAIT = Argument(
    ("--no-wait",), "Print nothing. What takes long in the cloud is done at once here.", takes="nothing"
)
YES = Argument(("--yes", "-y"), "Do not ask.", takes="nothing")
MAX_RESULTS = Argument(("--max-results", "-r"), "At most this many.", convert=at_least_one, metavar="NUMBER")
INCLUDE_ARCHIVED = Argument(("--include-archived",), "Archived ones as well.", takes="nothing")
ARCHIVED_ONLY = Argument(("--archived-only",), "Only archived ones.", takes="nothing")
TAG = Argument(("--tag",), "Only those with this tag, as `key` or `key=value`.")
RELAX = Argument(
    ("--relax",),
    "Take the nearest packages and Python that can be had where the asked ones cannot, and say which.",
    takes="nothing",
)
REGISTRY_NAME = Argument(("--registry-name",), "Registry to use instead of the workspace.", metavar="NAME")


def name_of(what: str) -> Argument:
    """`--name/-n`, required, for a command that acts on one thing."""
    return Argument(("--name", "-n"), f"Name of the {what}.", required=True)


def refuse_both_archived(include_archived: bool, archived_only: bool) -> None:
    """The two flags of a list exclude each other."""
    if include_archived and archived_only:
        raise PenstockError("--include-archived and --archived-only exclude each other")


def pairs_of(words: list[str] | None) -> dict[str, str]:
    """`key=value` words as a mapping. One word may hold several pairs, as scripts write it: `--tags "a=1 b=2"`.

    A key without `=` gets an empty value, as `az` does it.
    """
    pairs: dict[str, str] = {}
    for word in words or ():
        # A blank starts a new pair only where `key=` follows: `title=two words` stays one.
        for pair in re.split(r"\s+(?=[^\s=]+=)", word.strip()):
            if pair:
                key, _, value = pair.partition("=")
                pairs[key] = value
    return pairs
