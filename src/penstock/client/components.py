"""Components of one workspace or registry: what every asset has, and checking one without creating it."""

from typing import TYPE_CHECKING

from penstock.client.assets import Assets, Record

if TYPE_CHECKING:
    from penstock.resources.reading import Document


class Components(Assets):
    """The components of one workspace or registry."""

    def validate(self, document: "Document") -> Record:
        """`result` (Succeeded or Failed), `errors` and `warnings`, each with its place in the files. Nothing is uploaded."""
        from penstock.client.validating import validate

        return validate(self._connection, f"{self._path}:validate", document)
