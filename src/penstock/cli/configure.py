"""`penstock configure`: defaults for flags that would be typed every time."""

from penstock.cli import defaults
from penstock.cli.flags import pairs_of
from penstock.cli.grammar import OUTPUT_FORMATS, Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import PenstockError, UsageError


def run(invocation: Invocation) -> object:
    arguments = invocation.arguments
    if arguments.scope == "local":
        raise PenstockError("argument --scope: `local` is not supported yet", hint="leave it out")
    if arguments.defaults is None:
        if arguments.list_defaults is None:
            raise UsageError("nothing to configure", hint="penstock configure --defaults workspace=taxi-dev")
        return _listed(invocation)
    for word in arguments.defaults:
        if "=" not in word:
            raise UsageError(
                f"argument --defaults: `{word}` is not NAME=VALUE", hint="an empty value removes a default"
            )
    changes = pairs_of(arguments.defaults)
    for name, value in changes.items():
        _check(invocation, name, value)
    defaults.change(invocation.home, changes)
    return None


def _check(invocation: Invocation, name: str, value: str) -> None:
    if name == "output" and value and value not in OUTPUT_FORMATS:
        raise UsageError(f"argument --defaults: output `{value}` is not one of {', '.join(OUTPUT_FORMATS)}")
    if name not in defaults.KNOWN:
        from penstock.resources.nearest import nearest

        near = nearest(name, defaults.KNOWN)
        wish = f"; did you mean `{near}`?" if near else ""
        invocation.warn(f"`{name}` is kept, and no command reads it{wish}")


def _listed(invocation: Invocation) -> object:
    source = str(invocation.home.config)
    return [
        {"name": name, "source": source, "value": value}
        for name, value in sorted(defaults.read(invocation.home).items())
    ]


COMMANDS = (
    Command(
        name="configure",
        summary="Set defaults: workspace, resource group, location, output.",
        description=(
            "A flag on the command line, and PENSTOCK_WORKSPACE, count before a default. An empty value (`workspace=''`)"
            " removes it. Defaults are kept in $PENSTOCK_HOME/config.json."
        ),
        arguments=(
            Argument(
                ("--defaults", "-d"),
                "Defaults as NAME=VALUE: group, workspace, location, output.",
                takes="values",
                metavar="NAME=VALUE",
            ),
            Argument(("--list-defaults", "-l"), "List the defaults.", takes="truth"),
            Argument(("--scope",), "Accepted; defaults are the user's.", choices=("global", "local")),
        ),
        examples=(
            Example(
                "as scripts for the cloud do",
                "penstock configure --defaults group=my-group workspace=taxi-dev",
            ),
            Example("tables instead of JSON", "penstock configure --defaults output=table"),
            Example("what is set?", "penstock configure --list-defaults -o table"),
        ),
        run=run,
    ),
)
