"""Fields that name something else: an environment, a compute, code, a path.

Their form is checked here; whether the named thing exists is asked where the workspace is known.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from penstock.errors import Problem
from penstock.resources import references as refs
from penstock.resources.environment import InlineEnvironment
from penstock.resources.expressions import BadExpression, parse_template, render, whole
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri
from penstock.resources.wording import BRANCH, describe, trouble

# A bare word is a name there, and never a path.
_NAMED_BARE = frozenset({"compute", "datastore"})


def snapshot_is_file(path: str) -> bool | None:
    """Whether an uploaded path is a file; None for a path that is no upload."""
    snapshot = parse_snapshot_uri(path)
    return None if snapshot is None else not snapshot.is_folder


def upload_misfit(kind: str | None, path: str, pointer: str) -> Problem | None:
    """Why an uploaded path is no `kind` of data: a file where a folder is meant, or a folder for a file."""
    is_file = snapshot_is_file(path)
    if kind in ("uri_folder", "mltable") and is_file:
        hint = "write `type: uri_file`, or give the folder that holds it"
        return Problem(pointer, f"the input is a `{kind}`, but its path is a file", hint=hint)
    if kind == "uri_file" and is_file is False:
        hint = "write `type: uri_folder`, or give the file itself"
        return Problem(pointer, "the input is a `uri_file`, but its path is a folder", hint=hint)
    return None


def reference_problem(text: str, kind: str, pointer: str = "") -> Problem | None:
    """Why the text cannot stand for a `kind` (see `parse_reference`), or None."""
    if kind not in _NAMED_BARE and refs.is_local(text):
        return _not_uploaded(text, kind, pointer)
    try:
        refs.parse_reference(text, kind)
    except refs.BadReference as error:
        return Problem(pointer, error.message, expected=error.expected)
    return None


def place_remarks(path: str | None, kind: str, pointer: str) -> Iterator[Problem]:
    """Warnings about a place that holds what should not be kept."""
    if path is None or whole(path) is not None:
        return
    try:
        reference = refs.parse_reference(_filled_in(path), kind)
    except (refs.BadReference, BadExpression):
        return  # an error elsewhere
    if isinstance(reference, refs.WebAddress) and re.search(r"[?&](sig|token|key|password)=", reference.url):
        message = "the address holds a signature or a key, which is stored and shown with it"
        yield Problem(pointer, message, hint="map an address without one to a local file", code="unsupported")


def _not_uploaded(text: str, kind: str, pointer: str) -> Problem:
    if kind in ("environment", "component"):
        expected = f"{refs.forms_of(kind)}, or a file"
        hint = f"to read a file, write `file:{text.removeprefix('file:')}`"
        what = "an environment" if kind == "environment" else "a component"
        return Problem(pointer, f"`{text}` is not a reference to {what}", expected, hint)
    if kind == "output":
        return Problem(
            pointer, f"`{text}` is a local path, and an output needs a place", expected=refs.forms_of(kind)
        )
    hint = "the command line uploads local paths; a REST caller uploads the files and sends their `snapshot://` address"
    return Problem(pointer, f"local path `{text}` was not uploaded", refs.forms_of(kind), hint)


def _raise(problem: Problem | None) -> None:
    if problem is not None:
        raise trouble(problem.message, expected=problem.expected, hint=problem.hint, code=problem.code)


def _checked_as(kind: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        _raise(reference_problem(text, kind))
        return text

    return check


def _compute(text: str) -> str:
    # A binding to a literal input of the pipeline: `bindings` looks at it.
    if "${{" not in text:
        _raise(reference_problem(text, "compute"))
    return text


def _code(text: str) -> str:
    if parse_snapshot_uri(text) is not None:
        return text
    if refs.is_local(text):
        _raise(_not_uploaded(text, "data", ""))
    if text.startswith("git+"):
        raise trouble(
            "code from a git address is not supported yet",
            hint="clone it, and give the folder",
            code="unsupported",
        )
    raise trouble(f"{{field}} cannot be `{text}` yet", expected="a local folder or file", code="unsupported")


def _filled_in(path: str) -> str:
    """The path with something plausible in place of each expression, so that its form can be judged."""
    return render(
        parse_template(path),
        lambda each: "workspaceblobstore" if each.scope == "default_datastore" else "x",
    )


def _output_path(path: str) -> str:
    if whole(path) is not None:
        return path
    try:
        filled_in = _filled_in(path)
    except BadExpression:
        return path  # `bindings` says what is wrong with it
    _raise(reference_problem(filled_in, "output"))
    return path


def _stored_path(kind: str, supported: tuple[type, ...]) -> Callable[[str], str]:
    """A path of an asset: what can be kept under the asset's name."""

    def check(text: str) -> str:
        _raise(reference_problem(text, kind))
        if not isinstance(refs.parse_reference(text, kind), supported):
            message = f"a {kind} asset made from `{text}` is not supported yet"
            raise trouble(
                message,
                expected="a local path, or a place in a datastore or in a job's output",
                code="unsupported",
            )
        return text

    return check


def _text_or_mapping(value: Any) -> str | None:
    if isinstance(value, str):
        return BRANCH + "text"
    return BRANCH + "mapping" if isinstance(value, Mapping | InlineEnvironment) else None


def _must_be_text_or_mapping(value: Any) -> Any:
    if _text_or_mapping(value) is None:
        wanted = "a reference, or a mapping with `image` and `conda_file`"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return value


EnvironmentValue = Annotated[
    Annotated[str, AfterValidator(_checked_as("environment")), Tag(BRANCH + "text")]
    | Annotated[InlineEnvironment, Tag(BRANCH + "mapping")],
    Discriminator(_text_or_mapping),
    BeforeValidator(_must_be_text_or_mapping),
]
ComponentReference = Annotated[str, AfterValidator(_checked_as("component"))]
ComputeTarget = Annotated[str, AfterValidator(_compute)]
DatastoreName = Annotated[str, AfterValidator(_checked_as("datastore"))]
CodePath = Annotated[str, AfterValidator(_code)]
OutputPath = Annotated[str, AfterValidator(_output_path)]
DataPath = Annotated[
    str,
    AfterValidator(_stored_path("data", (SnapshotUri, refs.DatastorePath, refs.JobOutput, refs.WebAddress))),
]
ModelPath = Annotated[
    str,
    AfterValidator(
        _stored_path(
            "model",
            (SnapshotUri, refs.DatastorePath, refs.JobOutput, refs.RunArtifact, refs.AssetReference),
        )
    ),
]
