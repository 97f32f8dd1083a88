"""What a text may refer to: assets, places in a datastore, outputs of jobs, public addresses.

Texts come from files of other people. Names are plain, and paths stay below the thing that they are relative to: `..`,
backslashes, drive letters and control characters are refused in any encoding.
"""

import re
from collections.abc import Callable, Mapping

from penstock.resources.local_paths import is_local
from penstock.resources.reference_types import (
    ArmId,
    AssetReference,
    BadReference,
    DatastorePath,
    JobOutput,
    RunArtifact,
    WebAddress,
)
from penstock.resources.safe_paths import disguised_part, unsafe_part
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri

__all__ = [
    "ArmId",
    "AssetReference",
    "BadReference",
    "DatastorePath",
    "JobOutput",
    "Reference",
    "RunArtifact",
    "SnapshotUri",
    "WebAddress",
    "forms_of",
    "is_local",
    "parse_arm_id",
    "parse_reference",
]

LONGEST_REFERENCE = 8192

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+:~-]{0,254}")
_GROUP = re.compile(r"[\w.()-]{1,90}")
_CONTROL_OR_BLANK = re.compile(r"[\x00-\x20\x7f\\]")
_WEB = re.compile(r"(https?|wasbs?|abfss?|adl)://([^/?#]+)([/?#].*)?", re.IGNORECASE)

# The word of an asset kind in long addresses.
_PLURALS: Mapping[str, str] = {
    "environment": "environments",
    "data": "data",
    "model": "models",
    "component": "components",
    "compute": "computes",
    "datastore": "datastores",
    "job": "jobs",
}
_UNVERSIONED = frozenset({"compute", "datastore", "job"})
# For these a name alone stands for the latest version.
_LATEST_BY_DEFAULT = frozenset({"environment", "model", "component"})
_WITH_BYTES = frozenset({"data", "model", "output"})


Reference = AssetReference | DatastorePath | JobOutput | RunArtifact | WebAddress | SnapshotUri


def parse_reference(text: str, kind: str) -> Reference:
    """What a text refers to, in the place of a `kind`. Raises BadReference with the forms that may stand there.

    `kind` is `environment`, `data`, `model`, `component`, `compute`, `datastore`, `job`, or `output` for the path of
    an output. Long ids come back as an AssetReference that names its workspace.
    """
    return _Reader(text, kind).reference()


def forms_of(kind: str) -> str:
    """The forms that may stand in the place of a `kind`, for messages."""
    if kind in _UNVERSIONED:
        return f"azureml:<{kind} name>"
    place = "azureml://datastores/<datastore>/paths/<path>"
    if kind == "output":
        return place
    asset = "azureml:<name>:<version> or azureml:<name>@latest"
    if kind not in _WITH_BYTES:
        return (
            f"{asset} or azureml://registries/<registry>/{_PLURALS.get(kind, kind)}/<name>/versions/<version>"
        )
    job = "azureml://jobs/<job>/outputs/<output>/paths/<path>"
    run = "runs:/<run>/<path>, " if kind == "model" else ""
    return f"a local path, {asset}, {place}, {job}, {run}https://…"


def parse_arm_id(text: str) -> ArmId | None:
    """The parts of a long id, with or without `azureml:` before it; None for any other text."""
    parts = text.removeprefix("azureml:").split("/")
    if len(parts) not in (11, 13) or parts[0] != "":
        return None
    words = [part.lower() for part in parts]
    provider = "microsoft.machinelearningservices"
    if (words[1], words[3], words[5], words[6], words[7]) != (
        "subscriptions", "resourcegroups", "providers", provider, "workspaces",
    ):  # fmt: skip
        return None
    if len(parts) == 13 and words[11] != "versions":
        return None
    version = parts[12] if len(parts) == 13 else None
    return ArmId(parts[2], parts[4], parts[8], words[9], parts[10], version)


class _Reader:
    """One text in one place."""

    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind

    def bad(self, why: str, expected: str | None = None) -> BadReference:
        shown = self.text if len(self.text) <= 200 else self.text[:199] + "…"
        message = "".join(char if char.isprintable() else "?" for char in f"`{shown}` {why}")
        return BadReference(message, expected or forms_of(self.kind))

    def reference(self) -> Reference:
        text = self.text
        if len(text) > LONGEST_REFERENCE:
            raise self.bad(f"is longer than {LONGEST_REFERENCE} characters")
        if not text.strip():
            raise self.bad("is empty")
        if text.startswith("snapshot:"):
            return self._snapshot()
        if text.startswith("runs:"):
            return self._run_artifact()
        inner = text.removeprefix("azureml:")
        if _WEB.match(inner):
            return self._web_address(inner)
        if text.startswith("azureml://"):
            return self._address(inner.removeprefix("//"))
        if inner.lower().startswith("/subscriptions/"):
            return self._long_id()
        if inner != text:
            return self._short(inner)
        if self.kind in _UNVERSIONED and is_local(text):
            return AssetReference(self.name(text, self.kind))
        raise self.bad("is not a reference" if is_local(text) else "has a scheme that cannot be used here")

    def _short(self, inner: str) -> AssetReference:
        """`<name>:<version>` split at the first colon, `<name>@<label>` at the last at sign."""
        if ":" in inner:
            name, version = inner.split(":", 1)
            self._must_be_versioned()
            return AssetReference(self.name(name, "asset"), version=self.version(version))
        if "@" in inner:
            name, label = inner.rsplit("@", 1)
            self._must_be_versioned()
            return AssetReference(self.name(name, "asset"), label=self.name(label, "label"))
        name = self.name(inner, "asset")
        if self.kind not in _UNVERSIONED | _LATEST_BY_DEFAULT:
            raise self.bad("names no version", f"azureml:{name}:<version> or azureml:{name}@latest")
        return AssetReference(name)

    def _must_be_versioned(self) -> None:
        if self.kind in _UNVERSIONED:
            raise self.bad(f"names a version, and a {self.kind} has none")
        if self.kind == "output":
            raise self.bad("is an asset, and an output needs a place")

    def _address(self, inner: str) -> Reference:
        """What follows `azureml://`."""
        head, _, rest = inner.partition("/")
        readers: Mapping[str, Callable[[str], Reference]] = {
            "datastores": lambda rest: self._in_datastore(rest, None),
            "subscriptions": self._in_workspace,
            "jobs": self._job_output,
            "registries": self._in_registry,
            "locations": self._system_id,
        }
        reader = readers.get(head.lower())
        if reader is None:
            raise self.bad(f"begins with azureml://{head[:40]}, which means nothing")
        return reader(rest)

    def _in_workspace(self, rest: str) -> Reference:
        """`<s>/resourcegroups/<g>/workspaces/<w>/…`, with or without the provider's words before the workspace."""
        parts = rest.split("/")
        if [part.lower() for part in parts[3:5]] == ["providers", "microsoft.machinelearningservices"]:
            del parts[3:5]
        if len(parts) < 7 or parts[1].lower() != "resourcegroups" or parts[3].lower() != "workspaces":
            raise self.bad(
                "is not complete",
                "azureml://subscriptions/<s>/resourcegroups/<g>/workspaces/<w>/datastores/<d>/paths/<p>",
            )
        if not _GROUP.fullmatch(parts[0]) or not _GROUP.fullmatch(parts[2]):
            raise self.bad("names a subscription or a resource group that cannot be")
        workspace = self.name(parts[4], "workspace")
        if parts[5].lower() == "datastores":
            return self._in_datastore("/".join(parts[6:]), workspace)
        return self._asset(parts[5:], workspace=workspace)

    def _in_datastore(self, rest: str, workspace: str | None) -> DatastorePath:
        self._must_have_bytes("a place in a datastore")
        name, slash, inner = rest.partition("/")
        word, _, path = inner.partition("/")
        if not slash or word != "paths":
            raise self.bad("names no path", "azureml://datastores/<datastore>/paths/<path>")
        return DatastorePath(self.name(name, "datastore"), self.path(path), workspace)

    def _job_output(self, rest: str) -> JobOutput:
        self._must_have_bytes("an output of a job")
        job, _, inner = rest.partition("/")
        word, _, place = inner.partition("/")
        output, _, path = place.partition("/")
        if word != "outputs" or not output:
            raise self.bad("names no output", "azureml://jobs/<job>/outputs/<output>/paths/<path>")
        if path == "paths" or path.startswith("paths/"):
            path = path.removeprefix("paths").removeprefix("/")
        return JobOutput(self.name(job, "job"), self.name(output, "output"), self.path(path))

    def _in_registry(self, rest: str) -> AssetReference:
        registry, _, inner = rest.partition("/")
        return self._asset(inner.split("/"), registry=self.name(registry, "registry"))

    def _system_id(self, rest: str) -> AssetReference:
        parts = rest.split("/")
        if len(parts) < 5 or parts[1] != "workspaces":
            raise self.bad("is not complete")
        return self._asset(parts[3:], workspace=self.name(parts[2], "workspace"))

    def _long_id(self) -> AssetReference:
        arm = parse_arm_id(self.text)
        if arm is None or not _GROUP.fullmatch(arm.subscription) or not _GROUP.fullmatch(arm.resource_group):
            raise self.bad("is not a complete id")
        versions = ["versions", arm.version] if arm.version is not None else []
        return self._asset([arm.type, arm.name, *versions], workspace=self.name(arm.workspace, "workspace"))

    def _asset(
        self, parts: list[str], *, registry: str | None = None, workspace: str | None = None
    ) -> AssetReference:
        """`<type>/<name>[/versions/<v>|/labels/<l>]` of a registry or a workspace."""
        plural = _PLURALS.get(self.kind)
        if plural is None:
            raise self.bad("is an asset, and an output needs a place")
        if parts[0].lower() != plural:
            raise self.bad(f"names one of `{parts[0][:40]}` where one of `{plural}` is needed")
        match parts[1:]:
            case [name]:
                if self.kind not in _UNVERSIONED | _LATEST_BY_DEFAULT:
                    raise self.bad("names no version")
                return AssetReference(self.name(name, "asset"), registry=registry, workspace=workspace)
            case [name, "versions", version] if self.kind not in _UNVERSIONED:
                name = self.name(name, "asset")
                return AssetReference(
                    name, version=self.version(version), registry=registry, workspace=workspace
                )
            case [name, "labels", label] if self.kind not in _UNVERSIONED:
                name = self.name(name, "asset")
                return AssetReference(
                    name, label=self.name(label, "label"), registry=registry, workspace=workspace
                )
        raise self.bad("is not complete, or holds too much", f"…/{plural}/<name>/versions/<version>")

    def _run_artifact(self) -> RunArtifact:
        if self.kind != "model":
            raise self.bad("is an MLflow artifact, which only a model can be made of")
        match = re.fullmatch(r"runs:/+([^/]+)/(.*)", self.text)
        if match is None:
            raise self.bad("names no artifact", "runs:/<run>/<path>")
        return RunArtifact(self.name(match[1], "run"), self.path(match[2]))

    def _web_address(self, url: str) -> WebAddress:
        self._must_have_bytes("a public address")
        match = _WEB.fullmatch(url)
        if match is None or _CONTROL_OR_BLANK.search(url):
            raise self.bad("holds blanks, backslashes or control characters")
        if match[1].lower().startswith("http") and "@" in match[2]:
            raise self.bad(
                "holds a user or password: it would be stored with the job", "an address without `…@`"
            )
        return WebAddress(url)

    def _snapshot(self) -> SnapshotUri:
        snapshot = parse_snapshot_uri(self.text)
        if snapshot is None:
            raise self.bad("is no snapshot")
        return snapshot

    def _must_have_bytes(self, what: str) -> None:
        if self.kind not in _WITH_BYTES:
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise self.bad(f"is {what}, and {article} {self.kind} cannot be there")

    def name(self, text: str, what: str) -> str:
        if not _NAME.fullmatch(text):
            raise self.bad(f"holds no valid {what} name: letters, digits, `.`, `_` and `-`")
        return text

    def version(self, text: str) -> str:
        if not _VERSION.fullmatch(text):
            raise self.bad("holds no valid version: letters, digits, `.`, `_`, `-`, `+` and `:`")
        return text

    def path(self, text: str) -> str:
        """A relative path below something, `.` and doubled slashes removed, a slash at the end kept."""
        trouble = None if not text.startswith("/") else "starts with `/`"
        parts = [part for part in text.split("/") if part not in ("", ".")]
        path = "/".join(parts) + ("/" if parts and text.endswith(("/", "/.")) else "")
        trouble = trouble or (unsafe_part("/".join(parts)) if parts else None) or disguised_part(text)
        if trouble is not None:
            raise self.bad(f"holds a path that {trouble}", "a path that stays below its folder")
        return path
