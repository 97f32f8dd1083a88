"""`penstock validate`: whether a file of any kind may be used, without a server."""

from pathlib import Path

from penstock.cli import flags
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.problems import field_of
from penstock.errors import Problem


def run(invocation: Invocation) -> object:
    from penstock.resources.validation import validate_file

    arguments = invocation.arguments
    verdict = validate_file(
        Path(arguments.file),
        kind=arguments.kind,
        overrides=arguments.set or (),
        fields={"name": arguments.name, "endpoint_name": arguments.endpoint_name},
    )
    record = {
        "ok": verdict.ok,
        "kind": verdict.kind,
        "errors": [_record(problem) for problem in verdict.problems],
        "warnings": [_record(problem) for problem in verdict.warnings],
    }
    return Outcome(record, exit_code=0 if verdict.ok else 1)


def _record(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": field_of(problem.pointer),
        "message": problem.message,
        "expected": problem.expected,
        "hint": problem.hint,
        "code": problem.code,
    }


COMMANDS = (
    Command(
        name="validate",
        summary="Say everything that is wrong with a file of any kind. Needs no server.",
        description=(
            "Reads the file and all that it includes. Which kind it is, is told from its content. What only a workspace"
            " knows is left to `penstock check`. Exit code 1 where there are errors; a kind or field that Penstock does"
            " not have yet is an error with the code `unsupported`."
        ),
        arguments=(
            flags.FILE_REQUIRED,
            Argument(
                ("--kind",),
                "What the file is, such as `job` or `data`, where its content does not tell.",
                metavar="KIND",
            ),
            flags.NAME,
            Argument(("--endpoint-name", "-e"), "Endpoint of a deployment; counts before the file's."),
            flags.SET,
        ),
        examples=(
            Example("everything that is wrong", "penstock validate -f pipeline.yml"),
            Example("is it right? for a script", "penstock validate -f pipeline.yml --query ok -o tsv"),
            Example("a table of it", 'penstock validate -f pipeline.yml --query "errors" -o table'),
        ),
        run=run,
    ),
)
