"""The verbs of jobs, giving `Job`s where the command line prints records."""

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.sdk.job import Job

if TYPE_CHECKING:
    from penstock.client.jobs import Jobs as Verbs
    from penstock.client.uploads import HasDocument
    from penstock.resources.reading import Document

# Any in this module: a JSON record.


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, verbs: "Verbs") -> None:
        self._verbs = verbs

    def create(
        self,
        job: "Document | HasDocument",
        *,
        experiment_name: str | None = None,
        relax: bool | None = None,
    ) -> Job:
        """Submit a job: what `load_job`, `command` or a pipeline's function gives. Local files go with it.

        The experiment is `experiment_name` where the job itself names none; else the current folder's name.
        `relax` says whether its environments' packages may be the nearest that can be had; None: as the client says.
        Raises InvalidDocument with every problem.
        """
        default = experiment_name or _experiment_of_this_folder()
        made = self._verbs.create(job, default_experiment=default, relax=relax)
        return Job(self._verbs, made.record, made.warnings)

    def plan(
        self,
        job: "Document | HasDocument",
        *,
        experiment_name: str | None = None,
        relax: bool | None = None,
    ) -> Mapping[str, Any]:
        """What `create` would do, step by step, as `job create --dry-run` prints it. Nothing is created or uploaded."""
        default = experiment_name or _experiment_of_this_folder()
        return self._verbs.plan(job, default_experiment=default, relax=relax).record

    def validate(self, job: "Document | HasDocument", *, relax: bool | None = None) -> Mapping[str, Any]:
        """`result`, `errors` and `warnings`, as `job validate` prints them. Nothing is created."""
        return self._verbs.validate(job, relax=relax)

    def show(self, name: str) -> Job:
        """The job of that name. Raises NotFound."""
        return Job(self._verbs, self._verbs.show(name))

    def list(
        self,
        *,
        parent_job_name: str | None = None,
        max_results: int | None = None,
        all_results: bool = False,
        tag: str | None = None,
        status: str | None = None,
        include_archived: bool = False,
        archived_only: bool = False,
    ) -> "Sequence[Job]":
        """Newest first, at most 50 unless told otherwise; a pipeline's steps with `parent_job_name`."""
        found = self._verbs.list(
            parent_job_name=parent_job_name,
            max_results=max_results,
            all_results=all_results,
            tag=tag,
            status=status,
            include_archived=include_archived,
            archived_only=archived_only,
        )
        return [Job(self._verbs, record) for record in found]

    def stream(self, name: str) -> Job:
        """Print what happens to a job until it has ended. Raises JobFailed where it fails."""
        return self.show(name).stream()

    def events(self, name: str) -> Iterator[Mapping[str, Any]]:
        """What happens to a job as it happens, as records: for programs."""
        return self._verbs.stream(name)

    def cancel(self, name: str) -> None:
        """Ask for a job's end."""
        self._verbs.cancel(name)

    def update(self, name: str, changes: Mapping[str, Any]) -> Job:
        """Describe a job otherwise: `{"set": {"display_name": "the best one", "tags.kept": "yes"}}`."""
        return Job(self._verbs, self._verbs.update(name, changes))

    def archive(self, name: str) -> None:
        """Hide a job that has ended from lists."""
        self._verbs.archive(name)

    def restore(self, name: str) -> None:
        """Show an archived job in lists again."""
        self._verbs.restore(name)

    def show_services(self, name: str, node_index: int = 0) -> Mapping[str, Any]:
        """What a job offers on one of its instances, by name, each with its address."""
        return self._verbs.show_services(name, node_index)

    def difference(self, name: str, other: str) -> Mapping[str, Any]:
        """What differs between two jobs, as `job show-diff` prints it."""
        return self._verbs.difference(name, other)

    def download(
        self,
        name: str,
        folder: str | PathLike[str] = ".",
        *,
        output_name: str | None = None,
        all_outputs: bool = False,
    ) -> Sequence[Path]:
        """Write an ended job's files under `folder`."""
        return self._verbs.download(
            name, Path(fspath(folder)), output_name=output_name, all_outputs=all_outputs
        )


def _experiment_of_this_folder() -> str:
    """Where nobody names an experiment: the current folder's name, as on the command line."""
    return Path.cwd().stem.replace(" ", "") or "Default"
