"""The software environment of a job: an image and a conda file."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from penstock.errors import Problem
from penstock.resources.field_types import AlsoWritten, AnyTags, AssetName, Choice, FilledText, Version
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.safe_paths import unsafe_part
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.resources.wording import describe, quoted, trouble

_NO_ENGINE = "it is run only where the server has PENSTOCK_CONTAINERS=always"


def _read_conda_file(value: Any) -> Any:
    if isinstance(value, str):
        raise trouble(
            f"{{field}} must be the content of a conda file, got {describe(value)}",
            expected="a mapping with `dependencies`",
            hint="the command line reads the file and sends what it says; a REST caller sends the mapping itself",
        )
    return value


def _conda_shape(content: dict[str, Any]) -> dict[str, Any]:
    """The shape alone: which packages can be had is asked when the environment is built."""
    dependencies = content.get("dependencies")
    if not isinstance(dependencies, list):
        found = "it is missing" if dependencies is None else f"got {describe(dependencies)}"
        raise trouble(f"`dependencies` of {{field}} must be a list, {found}", expected="a list of packages")
    for index, item in enumerate(dependencies):
        pip = item.get("pip") if isinstance(item, Mapping) and set(item) == {"pip"} else None
        is_pip = isinstance(pip, list) and all(isinstance(package, str) for package in pip)
        if not isinstance(item, str) and not is_pip:
            raise trouble(
                f"entry {index + 1} of `dependencies` in {{field}} must be a package or a `pip:` list, "
                f"got {describe(item)}",
                expected="text such as `python=3.11`, or a mapping `pip: [...]`",
            )
    return content


CondaFile = Annotated[
    dict[str, Any],
    BeforeValidator(_read_conda_file),
    AfterValidator(_conda_shape),
    AlsoWritten(("string",)),
]


def _build_path(text: str) -> str:
    snapshot = parse_snapshot_uri(text)
    if snapshot is not None and not snapshot.is_folder:
        raise trouble("{field} is a file, and a build context is a folder", expected="a local folder")
    if snapshot is None and "://" in text:
        hint = "fetch it, and give the local folder"
        raise trouble("{field} from an address is not supported yet", hint=hint, code="unsupported")
    if snapshot is None:
        hint = "the command line uploads local folders; a REST caller uploads the files and sends their `snapshot://` address"
        raise trouble(f"local folder `{text}` was not uploaded", expected="a local folder", hint=hint)
    return text


def _dockerfile_path(text: str) -> str:
    wrong = "starts with `/`" if text.startswith("/") else unsafe_part(text)
    if wrong is not None:
        raise trouble(f"{{field}} {wrong}", expected="a path inside the build context")
    return text


class BuildContext(Part):
    """A folder with a Dockerfile."""

    noun = "`build`"

    path: Annotated[str, AfterValidator(_build_path)] = Field(
        description="a Dockerfile that only installs Python packages becomes a virtual environment; any other is built "
        "by podman or docker where one answers (PENSTOCK_CONTAINERS), and refused by its line where none does"
    )
    dockerfile_path: Annotated[FilledText, AfterValidator(_dockerfile_path)] = "Dockerfile"

    @property
    def identity(self) -> dict[str, str]:
        """What decides whether two contexts are the same: the digest of the folder, whatever it is called."""
        snapshot = parse_snapshot_uri(self.path)
        return {"context": snapshot.digest if snapshot else self.path, "dockerfile": self.dockerfile_path}


class Route(Part):
    """Where a server in the image listens."""

    noun = "a route"

    port: int
    path: str


class InferenceConfig(Part):
    """How a deployment talks to a server in the image."""

    noun = "`inference_config`"

    liveness_route: Route
    readiness_route: Route
    scoring_route: Route


ANONYMOUS = "CliV2AnonymousEnvironment"
"""What Azure ML calls an environment that a job brings along; its `show` prints it, so nobody chose that name."""


class InlineEnvironment(Part):
    """An environment written into a job."""

    noun = "an environment"
    output_only = OUTPUT_ONLY | {"mark", "relaxed", "pinned_conda_file"}

    name: AssetName | None = None
    version: Version | None = Field(default=None, description="the next whole number if absent")
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)
    image: FilledText | None = Field(default=None, description=f"recorded with a warning: {_NO_ENGINE}")
    conda_file: CondaFile | None = Field(
        default=None, description="a path, or the content inline; a virtual environment is built from it"
    )
    build: BuildContext | None = None
    os_type: Annotated[
        Literal["linux"], Choice(not_yet=("windows",), hint="environments run on Linux and macOS")
    ] = "linux"
    inference_config: InferenceConfig | None = recorded(
        "it is for deployments of images, and there are none yet"
    )
    datastore: str | None = recorded("files are kept in the workspace's own store")

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        if "dependencies" in data or "channels" in data:
            hint = "write an environment file with `image:` and `conda_file: <this file>`"
            return Problem("", "this is a conda file, not an environment", expected=cls.noun, hint=hint)
        return None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if "build" not in data and "image" not in data and "conda_file" not in data:
            hint = "write `image:`, `image:` and `conda_file:`, or `build:`"
            yield Problem(
                "/image", "an environment needs `image`, `conda_file` or `build`", hint=hint, code="missing"
            )
        if "build" in data and "image" in data:
            yield Problem("/image", "an environment has either `image` or `build`, not both")
        if "build" in data and "conda_file" in data:
            yield Problem("/conda_file", "an environment has either `conda_file` or `build`, not both")

    def remarks(self) -> Iterator[Problem]:
        given = [key for key in ("name", "version") if getattr(self, key) is not None]
        if given and type(self) is InlineEnvironment and self.name != ANONYMOUS:
            verb = "is" if len(given) == 1 else "are"
            message = (
                f"{quoted(given)} {verb} ignored: an environment that is read for a job is not registered"
            )
            yield Problem(f"/{given[0]}", message)
        if self.image is not None:
            packages = (
                "its packages come from `conda_file`"
                if self.conda_file
                else "commands use this machine's tools"
            )
            yield Problem(
                "/image", f"`image` is recorded, and {_NO_ENGINE}; otherwise {packages}", code="unsupported"
            )
        elif self.conda_file is not None:
            yield Problem(
                "/image", "`conda_file` stands without `image`: it works here, but Azure ML refuses it"
            )


class Environment(InlineEnvironment):
    """An environment as an asset, with a name."""

    name: AssetName
