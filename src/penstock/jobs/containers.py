"""Steps that run in a container: their image, pulled or built once, and their command as the engine's."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.compute.container import Container, Mount, argv_of, client_environment, of_a_container
from penstock.compute.engine import Engine, Engines
from penstock.environments.files import locked
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError
from penstock.jobs.places import JobFolders
from penstock.jobs.plans import PlannedEnvironment, StepPlan
from penstock.jobs.preparing import Ready
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.settings import Home, setting
from penstock.store.beneath import remove_tree
from penstock.store.checkouts import Checkouts

Say = Callable[[str], None]

_MODES = ("auto", "always", "never")
# Where an image has conda, as Azure ML's own have: the conda file's packages are laid over the image.
_OVER_AN_IMAGE = """\
FROM {image}
COPY conda.yml /tmp/penstock-conda.yml
RUN conda env create -p /opt/penstock -f /tmp/penstock-conda.yml
ENV PATH=/opt/penstock/bin:$PATH CONDA_PREFIX=/opt/penstock CONDA_DEFAULT_ENV=/opt/penstock
"""


@dataclass(frozen=True)
class Told:
    """What a step's command was told: where its inputs and outputs are."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    variables: Mapping[str, str]


class Containers:
    """The container engine, for jobs. Safe to use from several threads."""

    def __init__(self, home: Home, checkouts: Checkouts, engines: Engines | None = None) -> None:
        self._home = home
        self._checkouts = checkouts
        self._engines = engines or Engines()

    @property
    def mode(self) -> str:
        """`auto`, `never` or `always`: what PENSTOCK_CONTAINERS says."""
        said = setting("PENSTOCK_CONTAINERS")
        if said not in _MODES:
            raise PenstockError(
                f"PENSTOCK_CONTAINERS is `{said}`",
                hint=f"set it to one of {', '.join(_MODES)} where the server runs",
            )
        return said

    def engine(self) -> Engine | None:
        """The engine that steps may use, if any."""
        return None if self.mode == "never" else self._engines.found()

    def image_of(self, environment: PlannedEnvironment, say: Say) -> str:
        """The image of an environment, on this machine. Pulled or built once, however many ask at once."""
        engine = self._engine()
        if environment.build is None and environment.conda is None:
            image = str(environment.image)
            with self._alone(image):
                if not engine.has_image(image):
                    engine.pull(image, say)
            return image
        tag = _tag(environment)
        with self._alone(tag):
            if not engine.has_image(tag):
                self._build(engine, environment, tag, say)
        return tag

    def foreseen(self, environment: PlannedEnvironment) -> tuple[str | None, bool]:
        """The identity of what `image_of` gives, and whether the image is on this machine."""
        engine = self.engine()
        if environment.build is None and environment.conda is None:
            return environment.image, engine is not None and engine.has_image(str(environment.image))
        tag = _tag(environment)
        return tag, engine is not None and engine.has_image(tag)

    def in_container(
        self, ready: Ready, plan: StepPlan, folders: JobFolders, told: Told, image: str
    ) -> Ready:
        """The same step, its command run by the engine. What an earlier, unfinished start left goes."""
        engine = self._engine()
        if ready.processes:
            raise PenstockError(
                "several processes of a step in containers are not supported yet",
                hint="leave `distribution` and `instance_count` out, or give the environment as `image` and `conda_file`",
            )
        user = frozenset(plan.environment_variables)
        variables = {**ready.env, **told.variables}
        container = Container(
            name=_name(folders),
            image=image,
            command=ready.argv[-1],
            folder=str(ready.cwd),
            mounts=tuple(_mounts(plan, folders, told)),
            variables=of_a_container(variables, user),
            set_by_the_user=user,
            shm_size=plan.shm_size,
            options=plan.docker_args,
        )
        engine.remove_container(container.name)
        return replace(
            ready,
            argv=argv_of(engine, container),
            env=client_environment(container, os.environ),
            python=Path(sys.executable),
        )

    def clear(self, folders: JobFolders) -> None:
        """What a step's container left behind goes; a command that was ended by force cannot do that itself."""
        engine = self.engine()
        if engine is not None:
            engine.remove_container(_name(folders))

    def _engine(self) -> Engine:
        engine = self.engine()
        if engine is None:
            raise EnvironmentCannotBeBuilt(
                "this step runs in a container, and no container engine answers",
                hint="start podman or docker where the server runs, and do not set PENSTOCK_CONTAINERS=never",
            )
        return engine

    def _alone(self, image: str) -> AbstractContextManager[int]:
        name = hashlib.sha256(image.encode()).hexdigest()[:32]
        return locked(self._home.environments / "images" / f"{name}.lock")

    def _build(self, engine: Engine, environment: PlannedEnvironment, tag: str, say: Say) -> None:
        folder = self._home.environments / "images" / tag.rpartition(":")[2]
        remove_tree(folder)
        try:
            engine.build(folder, self._lay_out(environment, folder), tag, say)
        finally:
            remove_tree(folder)

    def _lay_out(self, environment: PlannedEnvironment, folder: Path) -> str:
        """The build context as a folder; the Dockerfile's path in it."""
        if environment.build is None:
            folder.mkdir(parents=True)
            (folder / "conda.yml").write_text(json.dumps(environment.conda), encoding="utf-8")
            (folder / "Dockerfile").write_text(
                _OVER_AN_IMAGE.format(image=environment.image), encoding="utf-8"
            )
            return "Dockerfile"
        uri = parse_snapshot_uri(environment.build["path"])
        if uri is None:
            raise AssertionError("it was uploaded before the job was created")
        self._checkouts.checkout(uri.digest, folder, writable=True)
        return environment.build["dockerfile_path"]


def _tag(environment: PlannedEnvironment) -> str:
    """The name of what is built, by its identity: the content of the context, or the image with the conda file."""
    build = dict(environment.build or {})
    uri = parse_snapshot_uri(build.get("path", ""))
    content = [
        build.get("dockerfile_path"),
        uri.digest if uri else None,
        environment.image,
        environment.conda,
    ]
    return (
        f"localhost/penstock:{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]}"
    )


def _name(folders: JobFolders) -> str:
    """A container's name is the engine's, for all homes of the machine."""
    return "penstock-" + hashlib.sha256(os.fsencode(folders.run)).hexdigest()[:24]


def _mounts(plan: StepPlan, folders: JobFolders, told: Told) -> list[Mount]:
    """The working folder and outputs to write, inputs to read, each at the path that the command was told."""
    targets: dict[str, Mount] = {}
    copies = folders.copies.resolve()
    for name, text in told.inputs.items():
        path = Path(text)
        if plan.inputs[name].source is not None and path.is_absolute() and path.exists():
            is_copy = path.resolve().is_relative_to(copies)
            targets[text] = _mount(path, writable=is_copy)
            if is_copy:  # tables are laid out as links to where their files lie
                beyond = {each.resolve().parent for each in path.rglob("*") if each.is_symlink()}
                targets.update({str(place): _mount(place) for place in beyond if str(place) not in targets})
    for name, text in told.outputs.items():
        place = Path(text).parent if plan.outputs[name].is_file else Path(text)
        targets[str(place)] = _mount(place, writable=True)
    for text in told.variables.values():
        if Path(text).is_absolute() and Path(text).exists():
            targets[text] = _mount(Path(text))
    targets[str(folders.work)] = _mount(folders.work, writable=True)
    return list(targets.values())


def _mount(path: Path, *, writable: bool = False) -> Mount:
    return Mount(str(path.resolve()), str(path), writable)
