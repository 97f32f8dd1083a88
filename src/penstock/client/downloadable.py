"""Versioned assets whose files can be fetched: models and components."""

from os import PathLike
from pathlib import Path

from penstock.client.assets import Assets
from penstock.client.connection import escaped


class DownloadableAssets(Assets):
    """What is different from other assets."""

    def download(
        self,
        name: str,
        folder: str | PathLike[str] = ".",
        *,
        version: str | None = None,
        label: str | None = None,
    ) -> list[Path]:
        """Write the files of a version under `<folder>/<name>/`: all of them or none. What is there is overwritten."""
        from penstock.client.downloads import download_files, place_within

        if version is None:
            version = str(self.show(name, label=label)["version"])
        into = place_within(Path(folder), name)
        base = f"{self._path}/{escaped(name, 'versions', version, 'files')}"
        return download_files(self._connection, base, self._connection.get(base)["files"], into)
