"""`penstock model`: registered models."""

from collections.abc import Mapping
from pathlib import Path

from penstock.cli import flags
from penstock.cli.asset_commands import VERSION_OR_LABEL, AssetNoun, commands_of, of_one_version
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation


def _fields(invocation: Invocation) -> Mapping[str, object]:
    arguments = invocation.arguments
    return {"path": arguments.path, "type": arguments.type, "datastore": arguments.datastore}


def _download(invocation: Invocation) -> None:
    arguments = invocation.arguments
    folder = Path(arguments.download_path or ".")
    written = of_one_version(
        _NOUN, invocation, "download", lambda models, which: models.download(folder=folder, **which)
    )
    count = len(written)
    files = f"{count} file{'s' if count != 1 else ''}"
    invocation.say(f"downloaded {files} of model `{arguments.name}` to {folder / arguments.name}")


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
    Command(
        name="download",
        summary="Download the files of one version of a model.",
        description=(
            "Writes them into a folder called after the model, all of them or none; files that are there already are"
            " overwritten. Takes exactly one of --version and --label."
        ),
        arguments=(
            flags.name_of("model"),
            *VERSION_OR_LABEL,
            Argument(("--download-path", "-p"), "Folder to write into.", metavar="FOLDER", default="."),
            flags.REGISTRY_NAME,
        ),
        examples=(
            Example("to ./taxi", "penstock model download -n taxi -v 3"),
            Example(
                "the newest version, elsewhere", "penstock model download -n taxi -l latest -p /tmp/models"
            ),
        ),
        run=_download,
    ),
)
