"""`penstock data profile`: what is in the columns of data."""

from typing import Any

from penstock.cli import flags
from penstock.cli.asset_commands import VERSION_OR_LABEL
from penstock.cli.grammar import Argument, Command, Example, whole_number
from penstock.cli.invocation import Invocation, Outcome
from penstock.errors import PenstockError, UsageError

# Any in this module: a profile, as JSON.

READING = (
    Argument(("--pattern",), "Which files of a folder are the table, such as `**/*.csv`.", metavar="PATTERN"),
    Argument(
        ("--delimiter",), "What divides the values of a text; by its suffix where left out.", metavar="SIGN"
    ),
    Argument(("--encoding",), "Encoding of a text.", default="utf-8", metavar="NAME"),
    Argument(
        ("--skip-rows",), "Lines above the header.", convert=whole_number, default="0", metavar="NUMBER"
    ),
    Argument(
        ("--no-header",),
        "The first line is data; columns are called Column1, Column2 and so on.",
        takes="nothing",
    ),
)
"""How a table is read where it does not say so itself."""

WHICH = (
    Argument(("--name", "-n"), "Name of the data asset, or a reference such as azureml:taxi@latest."),
    *VERSION_OR_LABEL,
    Argument(("--path", "-p"), "File or folder that is no asset: it is read where it lies.", metavar="PATH"),
    Argument(
        ("--type", "-t"),
        "What the path is; told by what is there where left out.",
        choices=("uri_file", "uri_folder", "mltable"),
    ),
)
"""Which data a command is about."""


def data_of(invocation: Invocation) -> dict[str, Any]:
    """Which data is meant, as the client's verbs take it, from WHICH and READING."""
    arguments = invocation.arguments
    name, path = arguments.name, arguments.path
    if (name is None) == (path is None):
        raise UsageError(
            "exactly one of --name and --path is required",
            hint=f"`{invocation.full_name} -n taxi`, or `{invocation.full_name} --path taxi.csv`",
        )
    if arguments.version and arguments.label:
        raise PenstockError("cannot provide both --version and --label", hint="give one of them")
    if path is not None and (arguments.version or arguments.label):
        raise UsageError("--version and --label go with --name")
    if name is not None and name.startswith("azureml:"):
        if arguments.version or arguments.label:
            raise UsageError(f"`{name}` names a version: leave --version and --label out")
        name, path = None, name
    return {
        "name": name,
        "version": arguments.version,
        "label": arguments.label,
        "path": path,
        "type": arguments.type,
        **reading_of(invocation),
    }


def reading_of(invocation: Invocation) -> dict[str, Any]:
    """What READING says, as the client's verbs take it."""
    arguments = invocation.arguments
    return {
        "pattern": arguments.pattern,
        "delimiter": {"\\t": "\t", "tab": "\t"}.get(arguments.delimiter, arguments.delimiter),
        "encoding": arguments.encoding,
        "header": not arguments.no_header,
        "skip_rows": arguments.skip_rows or 0,
    }


def _profile(invocation: Invocation) -> object:
    from penstock.cli.asset_commands import place_of
    from penstock.cli.profile_text import as_text, rows_of
    from penstock.cli.progress_rows import Counter

    data = place_of(invocation).data
    which = data_of(invocation)
    with Counter(invocation) as counter:
        found = data.profile(
            **which,
            columns=invocation.arguments.columns or (),
            propose=invocation.arguments.propose,
            progress=counter.told,
        )
    if invocation.arguments.propose:
        return Outcome(found, text=found["proposal"])
    if invocation.arguments.output == "table" and not invocation.arguments.query:
        return Outcome(rows_of(found))
    return Outcome(found, text=as_text(found))


PROFILE = Command(
    name="profile",
    summary="Show what is in the columns of data: types, nulls, ranges, frequent values.",
    description=(
        "Data is read once, by a process of the server, whatever its size. The profile of a version is kept: asked again, it"
        " is there at once. Without --version and --label the latest version is meant.\n\n"
        "Counts of more than 65,536 different values are estimates with an error of at most 0.8 %; quantiles of more"
        " than 131,072 values are those of a rank that is off by less than 0.1 %. -o json says how much each is off."
    ),
    arguments=(
        *WHICH,
        Argument(("--columns",), "Only these columns.", takes="values", metavar="COLUMN"),
        Argument(
            ("--propose",),
            "Print a file of expectations that this data meets, for `penstock data validate`.",
            takes="nothing",
        ),
        *READING,
        flags.REGISTRY_NAME,
    ),
    examples=(
        Example("the latest version", "penstock data profile -n taxi"),
        Example("a first file of expectations", "penstock data profile -n taxi --propose"),
        Example("a file that is no asset", "penstock data profile --path taxi.csv"),
        Example(
            "two columns of a version, for a script",
            "penstock data profile -n taxi -v 3 --columns cost distance -o json",
        ),
    ),
    run=_profile,
)
