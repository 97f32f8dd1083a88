"""What a server that was killed while it took in a model has left: a copy of the files, a logged model without a version.

Before MLflow is asked for anything a note is laid beside the copy, which says in which experiment the logged model will
be; the model bears the copy's name as a tag. Both go when the version is made, so a note of an earlier life of the
server tells exactly what to look for, and MLflow is asked only where there is one.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import NotFound
from penstock.tracking.model_folders import TAKEN_IN, ModelFolders
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import quoted


@dataclass(frozen=True)
class HalfMade:
    """One interrupted registration: its copy and its note, of which either may be missing."""

    name: str
    copy: Path
    note: Path

    @property
    def places(self) -> tuple[Path, ...]:
        return tuple(place for place in (self.copy, self.note) if place.exists())


class HalfMadeModels:
    """Finds and removes them."""

    def __init__(self, rest: MlflowRest) -> None:
        self._rest = rest
        self._folders = ModelFolders(rest)

    def found(self, before: float) -> list[HalfMade]:
        """Those that were begun before a moment (epoch seconds), which is when this server started: it ends its own."""
        folder = self._folders.incoming
        if not folder.is_dir():
            return []
        names = {place.name.removesuffix(".json") for place in folder.iterdir()}
        every = (HalfMade(name, folder / name, folder / f"{name}.json") for name in sorted(names))
        return [one for one in every if all(place.stat().st_mtime < before for place in one.places)]

    def remove(self, one: HalfMade) -> None:
        """Remove what there is of it, the logged model too, unless a version was made of it after all."""
        if one.note.exists():
            said = json.loads(one.note.read_text("utf-8"))
            for identifier in self._without_version(said["workspace"], said["experiment"], one.name):
                self._folders.forget(said["workspace"], identifier)
            one.note.unlink()
        shutil.rmtree(one.copy, ignore_errors=True)

    def _without_version(self, workspace: str, experiment: str, tag: str) -> Iterator[str]:
        body = {"experiment_ids": [experiment], "filter": f"tags.`{TAKEN_IN}` = {quoted(tag)}"}
        try:
            models = self._rest.post(workspace, "logged-models/search", body).get("models", ())
        except NotFound:  # the workspace, or the experiment, is gone with all that was in it
            return
        for model in models:
            identifier = str(model["info"]["model_id"])
            wanted = {"filter": f"source_path = {quoted(f'models:/{identifier}')}", "max_results": 1}
            if not self._rest.get(workspace, "model-versions/search", wanted).get("model_versions"):
                yield identifier
