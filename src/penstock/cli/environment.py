"""`penstock environment`: the software that jobs run in."""

from collections.abc import Mapping
from typing import Any

from penstock.cli import flags
from penstock.cli.asset_commands import AssetNoun, commands_of
from penstock.cli.grammar import Argument, Example
from penstock.cli.invocation import Invocation


def _fields(invocation: Invocation) -> Mapping[str, object]:
    arguments = invocation.arguments
    build = {"path": arguments.build_context, "dockerfile_path": arguments.dockerfile_path}
    return {
        "image": arguments.image,
        "conda_file": arguments.conda_file,
        "os_type": arguments.os_type,
        "datastore": arguments.datastore,
        "build": {name: value for name, value in build.items() if value is not None},
    }


def _tell(invocation: Invocation, record: Mapping[str, Any]) -> None:
    from penstock.cli import relaxed_table

    relaxed_table.tell(invocation, "environment", record)


COMMANDS = commands_of(
    AssetNoun(
        kind="environment",
        attribute="environments",
        arguments=(
            Argument(("--image", "-i"), "Container image. Recorded; the packages come from the conda file."),
            Argument(("--conda-file", "-c"), "Conda file with the packages.", metavar="FILE"),
            Argument(
                ("--build-context", "-b"),
                "Folder with a Dockerfile that installs Python packages.",
                metavar="FOLDER",
            ),
            Argument(("--dockerfile-path", "-d"), "Dockerfile within the build context.", metavar="PATH"),
            Argument(("--os-type",), "Operating system.", choices=("linux", "windows")),
            Argument(("--datastore",), "Datastore that a local build context is put into.", metavar="NAME"),
            flags.RELAX,
        ),
        fields=_fields,
        tell=_tell,
        create_summary="Register an environment.",
        create_description=(
            "Describe it in a file or with flags. What is registered is not built before a job needs it. With --relax the"
            " index is asked what can be had; what is taken otherwise is shown, and kept with the version."
        ),
        create_examples=(
            Example("from a file", "penstock environment create -f environment.yml"),
            Example(
                "from a conda file",
                "penstock environment create -n train-env --conda-file conda.yml"
                " --image mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04",
            ),
            Example(
                "from a file whose packages are of another year",
                "penstock environment create -f environment.yml --relax",
            ),
        ),
    )
)
