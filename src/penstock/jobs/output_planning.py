"""Where a step's outputs are written, and what they are registered as."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock.datastores.folders import BLOB_STORE
from penstock.errors import Problem
from penstock.jobs.findings import Findings
from penstock.jobs.input_planning import type_of
from penstock.jobs.lookup import Lookup
from penstock.jobs.output_places import OutputPlaces, output_place
from penstock.jobs.plans import PlannedOutput
from penstock.jobs.scopes import OutputWish, Scope
from penstock.resources import references as refs
from penstock.resources.job import CommandJob, CommandStep
from penstock.resources.ports import MODEL_TYPES


class OutputPlanner:
    """Plans outputs of one job's steps; what is wrong with them is added to `findings`.

    `names` gives each step the name of its job; `datastore` is the pipeline's default, None for that of the workspace.
    """

    def __init__(
        self, lookup: Lookup, findings: Findings, names: Mapping[str, str], datastore: str | None
    ) -> None:
        self._lookup = lookup
        self._findings = findings
        self._names = names
        self._datastore = datastore
        self._places = OutputPlaces()

    def outputs(
        self, key: str, step: CommandJob | CommandStep, pointer: str, parent: Scope | None
    ) -> dict[str, PlannedOutput]:
        """Those of the step that is called `key`; `parent` is the pipeline around it."""
        name, outputs = self._names[key], dict[str, PlannedOutput]()
        for port in dict.fromkeys([*step.output_ports, *step.outputs]):
            wish = (
                parent.wish(key.rpartition("/")[2], port)
                if parent is not None
                else _wish_of(step.outputs.get(port))
            )
            datastore, path = self._findings.guarded(
                f"{pointer}/outputs/{port}",
                lambda port=port, wish=wish: output_place(  # type: ignore[misc]
                    name, port, wish.type, wish.path, self._datastore
                ),
                (BLOB_STORE, ""),
            )
            root, inside = self._findings.guarded(
                f"{pointer}/outputs/{port}",
                partial(self._root_of, datastore, path),
                ("", ""),
            )
            outputs[port] = PlannedOutput(
                wish.type, wish.mode, datastore, path, root, inside, wish.name, wish.version
            )
            self._must_be_free(wish, f"{pointer}/outputs/{port}")
            taken = self._places.take(outputs[port], key if parent else None, port)
            if taken is not None:
                self._findings.add(Problem(f"{pointer}/outputs/{port}", *taken))
        return outputs

    def _must_be_free(self, wish: OutputWish, pointer: str) -> None:
        """A version that exists already cannot be registered: better told now than after the training."""
        kind = "model" if wish.type in MODEL_TYPES else "data"
        if wish.name and wish.version and self._lookup.has_version(kind, wish.name, wish.version):
            self._findings.add(
                Problem(
                    pointer,
                    f"the output is to be registered as {kind} `{wish.name}:{wish.version}`, which exists already",
                    hint="leave `version` out to get the next one, or name a new one",
                    code="taken",
                )
            )

    def _root_of(self, datastore: str, path: str) -> tuple[str, str]:
        """The folder outside the workspace that an output is written to, and the path there; empty for one inside."""
        place = self._lookup.place(refs.DatastorePath(datastore, path))
        return (str(place.root), place.inside) if place.is_elsewhere else ("", "")


def _wish_of(value: Any) -> OutputWish:
    mode, path = getattr(value, "mode", None), getattr(value, "path", None)
    name, version = getattr(value, "name", None), getattr(value, "version", None)
    return OutputWish(type_of(value, "uri_folder"), str(mode or "rw_mount"), path, name, version)
