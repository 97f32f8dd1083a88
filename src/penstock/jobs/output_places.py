"""Where outputs are written, and that no two are written to one place."""

import posixpath

from penstock.datastores.folders import ARTIFACT_STORE, BLOB_STORE
from penstock.jobs.places import ARTIFACT_OUTPUTS
from penstock.jobs.plans import PlannedOutput
from penstock.resources import references as refs
from penstock.resources.expressions import parse_template, render


def output_place(name: str, port: str, kind: str, path: str | None, datastore: str | None) -> tuple[str, str]:
    """Where an output is written: the path that was asked for, or `azureml/<job>/<output>/` of the default store."""
    default = datastore or BLOB_STORE
    if path is None:
        if port in ARTIFACT_OUTPUTS:
            return ARTIFACT_STORE, f"ExperimentRun/dcid.{name}/"
        return default, f"azureml/{name}/{port}/" + (port if kind == "uri_file" else "")
    values = {"name": name, "output_name": port, "default_datastore": default}
    reference = refs.parse_reference(
        render(parse_template(path), lambda each: values.get(each.scope)), "output"
    )
    if not isinstance(reference, refs.DatastorePath):
        raise refs.BadReference(
            f"output path `{path}` is not a place in a datastore", "azureml://datastores/<name>/paths/<path>"
        )
    if kind == "uri_file":
        return reference.datastore, reference.path.rstrip("/")
    return reference.datastore, reference.path.rstrip("/") + "/"


def datastore_name(text: str | None) -> str | None:
    """The name that `azureml:<name>` stands for."""
    return text.removeprefix("azureml:") if text else None


class OutputPlaces:
    """The places that a job's outputs have taken so far."""

    def __init__(self) -> None:
        self._takers: dict[tuple[str, str], str] = {}

    def take(self, output: PlannedOutput, step: str | None, port: str) -> tuple[str, str, str] | None:
        """None, or what is wrong, what is expected, and what to do, where another output has the place."""
        place = (output.datastore, posixpath.normpath(output.path))
        taker = f"step `{step}` writes its output `{port}`" if step else f"output `{port}` is written"
        earlier = self._takers.setdefault(place, taker)
        if earlier == taker:
            return None
        return (
            f"{earlier} to the same place: `{output.datastore}`, path `{output.path}`",
            "a place of its own for every output",
            "leave the path out, or put ${{name}} and ${{output_name}} into it",
        )
