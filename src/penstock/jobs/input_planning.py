"""What a step's inputs come to: literals, values of other steps and of the pipeline, data and where it lies."""

from typing import Any

from penstock.errors import PenstockError, Problem
from penstock.jobs.findings import Findings
from penstock.jobs.lookup import Lookup
from penstock.jobs.places import UPLOADS
from penstock.jobs.plans import AtAddress, InDatastore, PlannedInput, RunArtifact, Source, Uploaded
from penstock.jobs.scopes import Scope
from penstock.resources import references as refs
from penstock.resources.expressions import expressions_in, parse_template, render, whole
from penstock.resources.inputs_and_outputs import names_a_model
from penstock.resources.ports import MODEL_TYPES, PARAMETER_TYPES, parameter_text

# Any in this module: a value of a parsed document, or its port.


class InputPlanner:
    """Plans inputs of one job's steps; what is wrong with them is added to `findings`."""

    def __init__(self, lookup: Lookup, findings: Findings) -> None:
        self._lookup = lookup
        self._findings = findings

    def value(self, value: Any, port: Any, pointer: str, parent: Scope | None) -> PlannedInput:
        """One input's value: a literal, a binding, or data; a port's default where nothing was given."""
        if value is None:
            default = getattr(port, "default", None)
            if default is None:
                return PlannedInput(type=type_of(port, "string"))
            value = default
        if isinstance(value, bool | int | float | str):
            return self._scalar(value, port, pointer, parent)
        if getattr(value, "value", None) is not None:
            return self._scalar(value.value, port, pointer, parent)
        path = value.path
        untyped = "custom_model" if isinstance(path, str) and names_a_model(path) else "uri_folder"
        declared, mode = type_of(value, type_of(port, untyped)), getattr(value, "mode", None)
        mode = mode or getattr(port, "mode", None)
        expression = whole(path) if isinstance(path, str) else None
        if expression is not None and parent is not None:
            bound = parent.binding(expression)
            return PlannedInput(
                text=bound.text, source=bound.source, type=bound.type, mode=mode or bound.mode
            )
        if path is None:
            return PlannedInput(type=declared)
        return self._data(
            str(path), declared, mode, pointer, explicit=getattr(value, "type", None) is not None
        )

    def _scalar(
        self,
        value: bool | int | float | str,
        port: Any,
        pointer: str,
        parent: Scope | None,
    ) -> PlannedInput:
        if not isinstance(value, str):
            declared = type_of(port, _literal_type(value))
            return PlannedInput(text=parameter_text(declared, value), type=declared)
        if parent is not None:
            expression = whole(value)
            if expression is not None:
                bound = parent.binding(expression)
                mode = getattr(port, "mode", None) or bound.mode
                default = getattr(port, "default", None)
                if not bound.is_set and default is not None:
                    return self._scalar(default, port, pointer, None)
                declared = type_of(port, bound.type)
                text = bound.text if bound.text is None else parameter_text(declared, bound.text)
                return PlannedInput(text, bound.source, declared, mode)
            if expressions_in(value):
                text = render(parse_template(value), lambda each: parent.binding(each).text)
                return PlannedInput(text=text, type=type_of(port, "string"))
        declared = type_of(port, "string")
        if declared not in PARAMETER_TYPES:  # a data port given by its path alone
            return self._data(value, declared, getattr(port, "mode", None), pointer, explicit=True)
        return PlannedInput(text=parameter_text(declared, value), type=declared)

    def _data(
        self, path: str, declared: str, mode: str | None, pointer: str, *, explicit: bool
    ) -> PlannedInput:
        fallback: tuple[str, Source] = (declared, Uploaded(path))
        found, source = self._findings.guarded(pointer, lambda: self._source(path, declared), fallback)
        kind = declared if explicit or found == "uri_folder" else found
        if explicit and found != declared and declared != "custom_model":  # as that, every model can be read
            self._findings.add(
                Problem(
                    pointer,
                    f"`{path}` is a {found}, and the input is declared {declared}",
                    hint=f"declare it `type: {found}`, or leave the type out",
                )
            )
        return PlannedInput(source=source, type=kind, mode=mode)

    def _source(self, path: str, declared: str) -> tuple[str, Source]:
        reference = refs.parse_reference(path, "model" if declared in MODEL_TYPES else "data")
        match reference:
            case refs.AssetReference():
                look = self._lookup.model if declared in MODEL_TYPES else self._lookup.data
                return look(reference)
            case refs.DatastorePath():
                self._lookup.place(reference)
                return declared, InDatastore(reference.datastore, reference.path)
            case refs.JobOutput():
                return declared, self._lookup.job_output(reference)
            case refs.RunArtifact():
                return declared, RunArtifact(reference.run, reference.path)
            case refs.WebAddress():
                return declared, AtAddress(reference.url)
            case _:
                if declared == "mltable":
                    self._lookup.table(path)
                return declared, Uploaded(path)

    def check_access(self, planned: PlannedInput) -> None:
        """Return if the input's data can be had in its mode; PenstockError, with the remedy, if not."""
        source = planned.source
        if isinstance(source, AtAddress) and planned.mode != "direct":
            self._lookup.address(source.url, planned.type)
        is_own = isinstance(source, InDatastore) and not source.path.startswith(f"{UPLOADS}/")
        if planned.mode == "rw_mount" and source is not None and not is_own:
            raise PenstockError(
                "an input of mode rw_mount is written to where it lies, and this one must not change",
                hint="use `mode: download` for a private copy, or give a place in a datastore",
            )


def type_of(value: Any, otherwise: str) -> str:
    """The type that a value, a port or an output says, in today's spelling."""
    declared = getattr(value, "type", None)
    if declared is None:
        return otherwise
    return "uri_folder" if declared == "path" else str(declared)


def _literal_type(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"
