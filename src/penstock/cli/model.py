"""`penstock model`: registered models."""

from collections.abc import Mapping

from penstock.cli.asset_commands import AssetNoun, commands_of
from penstock.cli.asset_download import download_command
from penstock.cli.grammar import Argument, Example
from penstock.cli.invocation import Invocation


def _fields(invocation: Invocation) -> Mapping[str, object]:
    arguments = invocation.arguments
    return {"path": arguments.path, "type": arguments.type, "datastore": arguments.datastore}


_NOUN = AssetNoun(
    kind="model",
    attribute="models",
    arguments=(
        Argument(
            ("--path", "-p"),
            "File or folder of the model, `azureml://jobs/<job>/outputs/<output>/paths/<path>`, or `runs:/<run>/<path>`.",
        ),
        Argument(
            ("--type", "-t"),
            "What the model is.",
            choices=("custom_model", "mlflow_model", "triton_model"),
        ),
        Argument(("--datastore",), "Datastore that a local model is put into.", metavar="NAME"),
    ),
    fields=_fields,
    may_change="description, tags, properties or stage",
    create_summary="Register a model.",
    create_description="A model that a job registers by MLflow needs no such command.",
    create_examples=(
        Example("from a file", "penstock model create -f model.yml"),
        Example(
            "a folder with an MLmodel", "penstock model create -n taxi --type mlflow_model --path ./model"
        ),
        Example(
            "the output of a job",
            "penstock model create -n taxi -t mlflow_model -p azureml://jobs/happy_frog/outputs/model/paths/",
        ),
    ),
)

COMMANDS = (
    *commands_of(_NOUN),
    download_command(
        _NOUN,
        description=(
            "Writes them into a folder called after the model: a file by its name, a folder with its own name (`taxi/model/…` for"
            " what was made of `…/model/`). All of them or none; files that are there already are overwritten. Takes exactly one of --version and --label."
        ),
        examples=(
            Example("to ./taxi", "penstock model download -n taxi -v 3"),
            Example(
                "the newest version, elsewhere", "penstock model download -n taxi -l latest -p /tmp/models"
            ),
        ),
    ),
)
