"""`penstock status`: what is running. Starts nothing."""

from penstock.cli.grammar import Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.cli.server import status_record
from penstock.settings import setting


def run(invocation: Invocation) -> object:
    record = status_record(invocation)
    jobs = record.get("jobs") or {}
    lines = [
        f"server     {_server(record)}",
        f"workspace  {invocation.workspace}",
        f"home       {invocation.home.path}",
    ]
    if record["running"]:
        lines.insert(1, f"jobs       {jobs.get('running', 0)} running, {jobs.get('queued', 0)} queued")
        mlflow = record.get("mlflow") or {}
        lines.insert(2, f"mlflow     {mlflow.get('state', 'unknown')}")
    else:
        lines.append("the next command that needs a server starts one")
    return Outcome({**record, "workspace": invocation.workspace}, text="\n".join(lines) + "\n")


def _server(record: dict[str, object]) -> str:
    if not record["running"]:
        return "not running"
    where = setting("PENSTOCK_SERVER") or f"process {record.get('pid')}"
    return f"running (version {record.get('version')}, {where})"


COMMANDS = (
    Command(
        name="status",
        summary="Say what is running.",
        description="Server, jobs, MLflow, and the workspace that commands use. Starts nothing.",
        examples=(
            Example("at a glance", "penstock status"),
            Example("how many jobs run?", "penstock status --query jobs.running -o tsv"),
        ),
        run=run,
    ),
)
