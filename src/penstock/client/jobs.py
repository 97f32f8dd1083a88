"""Jobs of one workspace: submit, follow, cancel, download."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped
from penstock.errors import Problem, ServerUnavailable

if TYPE_CHECKING:
    from penstock.client.uploads import Created, HasDocument
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]

# Where a job's state does not change any more.
TERMINAL = frozenset(("Completed", "Failed", "Canceled", "NotResponding", "Paused"))

# A stream that breaks this often without a line in between has no server behind it.
_MOST_FAILURES = 5


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, connection: Connection, workspace: str, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._path = f"/api/v1/workspaces/{escaped(workspace)}/jobs"
        self._say = say

    def create(
        self, document: "Document | HasDocument", *, default_experiment: str, relax: bool | None = None
    ) -> "Created":
        """Submit a job. `default_experiment` counts where the document names none.

        `relax` says whether its environments' packages may be the nearest that can be had; None: as the settings say.
        """
        from penstock.client.uploads import prepare, send

        prepared = prepare(document)
        with self._connection.relaxing(relax):
            return send(
                self._connection,
                self._path,
                prepared,
                more={"default_experiment": default_experiment},
                say=self._say,
                find_more=lambda: self._problems(prepared.data),
            )

    def plan(
        self, document: "Document | HasDocument", *, default_experiment: str, relax: bool | None = None
    ) -> "Created":
        """What `create` would do, as a record. Digests are computed here; nothing is uploaded and nothing is created."""
        from penstock.client.uploads import prepare, send

        prepared = prepare(document)
        with self._connection.relaxing(relax):
            return send(
                self._connection,
                f"{self._path}:plan",
                prepared,
                more={"default_experiment": default_experiment},
                find_more=lambda: self._problems(prepared.data),
            )

    def _problems(self, data: Record) -> "Iterator[Problem]":
        """What the server finds wrong with a document."""
        from penstock.client.uploads import problem_of

        answer = self._connection.post(f"{self._path}:validate", {"document": data})
        return (problem_of(error) for error in answer.get("errors") or ())

    def validate(self, document: "Document | HasDocument", *, relax: bool | None = None) -> Record:
        """`result` (Succeeded or Failed), `errors` and `warnings`, each with its place in the files. Nothing is uploaded."""
        from penstock.client.validating import validate

        with self._connection.relaxing(relax):
            return validate(self._connection, f"{self._path}:validate", document)

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
    ) -> list[Record]:
        """Newest first; the steps of a pipeline with `parent_job_name`."""
        query = {
            "parent_job_name": parent_job_name,
            "max_results": max_results,
            "all_results": all_results,
            "tag": tag,
            "status": status,
            "include_archived": include_archived,
            "archived_only": archived_only,
        }
        found: list[Record] = self._connection.get(self._path, query)
        return found

    def show(self, name: str) -> Record:
        found: Record = self._connection.get(f"{self._path}/{escaped(name)}")
        return found

    def difference(self, name: str, other: str) -> Record:
        """What differs between two jobs: `equal`, and by step what is not; the jobs' own facts are under the key ``."""
        found: Record = self._connection.get(f"{self._path}/{escaped(name)}/difference/{escaped(other)}")
        return found

    def show_services(self, name: str, node_index: int = 0) -> Record:
        """What the job offers on one of its instances, by name, each with its address."""
        found: Record = self._connection.get(
            f"{self._path}/{escaped(name)}/services", {"node_index": node_index}
        )
        return found

    def cancel(self, name: str) -> None:
        self._connection.post(f"{self._path}/{escaped(name)}/cancel", {})

    def update(self, name: str, changes: Mapping[str, Any]) -> Record:
        """Change what describes a job: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`."""
        found: Record = self._connection.request("PATCH", f"{self._path}/{escaped(name)}", body=dict(changes))
        return found

    def archive(self, name: str) -> None:
        """Hide a job that has ended from lists."""
        self._connection.post(f"{self._path}/{escaped(name)}/archive", {})

    def restore(self, name: str) -> None:
        """Show an archived job in lists again."""
        self._connection.post(f"{self._path}/{escaped(name)}/restore", {})

    def stream(self, name: str, after: str = "0") -> Iterator[Record]:
        """What happens to the job and its steps, as it happens, to the line whose `kind` is `end`.

        A server that is restarted in between is waited for, and the stream goes on behind the last line that arrived.
        """
        failures = 0
        while True:
            lost: ServerUnavailable | None = None
            try:
                with self._connection.download(
                    f"{self._path}/{escaped(name)}/stream", {"after": after}
                ) as body:
                    for line in body.lines():
                        event: Record = json.loads(line)
                        after = str(event.get("cursor", after))
                        failures = 0
                        yield event
                        if event.get("kind") == "end":
                            return
            except ServerUnavailable as error:
                lost = error
            failures += 1
            if failures > _MOST_FAILURES:
                raise lost or ServerUnavailable(
                    f"the stream of job `{name}` ends again and again before the job does",
                    hint=f"`penstock job show -n {name}` says how the job is; it goes on without us",
                )
            time.sleep(min(0.1 * 2**failures, 2.0))

    def files(
        self, name: str, *, output_name: str | None = None, all_outputs: bool = False
    ) -> Sequence[Record]:
        """The files of an ended job: path, size, url."""
        query = {"output_name": output_name, "all": all_outputs}
        answer = self._connection.get(f"{self._path}/{escaped(name)}/files", query)
        found: Sequence[Record] = answer["files"]
        return found

    def download(
        self, name: str, folder: Path, *, output_name: str | None = None, all_outputs: bool = False
    ) -> Sequence[Path]:
        """Write the job's files under `folder`: `artifacts/…`, and `named-outputs/<output>/…`. All of them or none."""
        from penstock.client.downloads import download_files

        files = self.files(name, output_name=output_name, all_outputs=all_outputs)
        return download_files(self._connection, f"{self._path}/{escaped(name)}/files", files, folder)
