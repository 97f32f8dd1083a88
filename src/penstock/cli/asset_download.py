"""download, for the assets that are files: models and components."""

from pathlib import Path

from penstock.cli import flags
from penstock.cli.asset_commands import VERSION_OR_LABEL, AssetNoun, of_one_version
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation


def download_command(noun: AssetNoun, *, description: str, examples: tuple[Example, ...]) -> Command:
    """The command of one kind of asset."""
    return Command(
        name="download",
        summary=f"Download the files of one version of a {noun.kind}.",
        description=description,
        arguments=(
            flags.name_of(noun.kind),
            *VERSION_OR_LABEL,
            Argument(("--download-path", "-p"), "Folder to write into.", metavar="FOLDER", default="."),
            flags.REGISTRY_NAME,
        ),
        examples=examples,
        run=lambda invocation: _download(noun, invocation),
    )


def _download(noun: AssetNoun, invocation: Invocation) -> None:
    arguments = invocation.arguments
    folder = Path(arguments.download_path or ".")
    written = of_one_version(
        noun, invocation, "download", lambda assets, which: assets.download(folder=folder, **which)
    )
    count = len(written)
    files = f"{count} file{'s' if count != 1 else ''}"
    invocation.say(f"downloaded {files} of {noun.kind} `{arguments.name}` to {folder / arguments.name}")
