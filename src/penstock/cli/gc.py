"""`penstock gc`: remove what nothing uses any more."""

from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.sizes import readable

_DEFAULT_DAYS = 7.0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        raise ValueError(f"`{text}` is not a number of days") from None
    if not days >= 0:
        raise ValueError(f"`{text}` days: 0 or more are possible")
    return days


def run(invocation: Invocation) -> object:
    arguments = invocation.arguments
    days = _DEFAULT_DAYS if arguments.older_than_days is None else arguments.older_than_days
    answer = invocation.client.server.collect_garbage(dry_run=arguments.dry_run, older_than_days=days)
    verb = "would remove" if arguments.dry_run else "removed"
    lines = [
        f"{readable(entry['bytes']):>10}  {entry['what']}  {entry['name']}\n" for entry in answer["removed"]
    ]
    lines.append(f"{verb} {len(answer['removed'])} things, {readable(answer['bytes'])}\n")
    return Outcome(answer, text="".join(lines))


COMMANDS = (
    Command(
        name="gc",
        summary="Remove what nothing uses any more.",
        description=(
            "Removes working folders of ended jobs, environments that no job uses, and uploaded files that neither an asset nor"
            " a job names, where they are older than a week. Jobs, their logs and outputs, models and data stay. To remove"
            " all traces of penstock instead:\n\n"
            "    penstock server stop && rm -rf ~/.penstock && pip uninstall penstock"
        ),
        arguments=(
            Argument(("--dry-run",), "Only say what would be removed.", takes="nothing"),
            Argument(
                ("--older-than-days",),
                "Only what has not been used for this long.",
                convert=_days,
                default="7",
                metavar="NUMBER",
            ),
        ),
        examples=(
            Example("what would go?", "penstock gc --dry-run"),
            Example("everything unused, at once", "penstock gc --older-than-days 0"),
        ),
        run=run,
    ),
)
