"""Components of one workspace or registry: assets that are files again, and may be checked without being created."""

from typing import TYPE_CHECKING

from penstock.client.assets import Record
from penstock.client.downloadable import DownloadableAssets

if TYPE_CHECKING:
    from penstock.resources.reading import Document


class Components(DownloadableAssets):
    """The components of one workspace or registry."""

    def validate(self, document: "Document") -> Record:
        """`result` (Succeeded or Failed), `errors` and `warnings`, each with its place in the files. Nothing is uploaded."""
        from penstock.client.validating import validate

        return validate(self._connection, f"{self._path}:validate", document)
