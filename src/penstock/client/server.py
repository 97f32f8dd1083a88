"""What the server says of itself, and what it does for the machine that it runs on."""

from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]


class Server:
    """The server itself: status, room on the disk, links, and the check of a document against what exists."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._workspace = workspace

    def status(self) -> Record:
        found: Record = self._connection.get("/api/v1/status")
        return found

    def usage(self) -> Record:
        """`entries` of what, path and bytes, and their `total`."""
        found: Record = self._connection.get("/api/v1/usage")
        return found

    def collect_garbage(self, *, dry_run: bool, older_than_days: float) -> Record:
        """What was removed (or would be), and how many bytes that frees."""
        found: Record = self._connection.post(
            "/api/v1/gc", {"dry_run": dry_run, "older_than_days": older_than_days}
        )
        return found

    def link(self, target: str) -> str:
        """A web address that opens `target` once, without a login."""
        answer = self._connection.post("/api/v1/links", {"workspace": self._workspace, "target": target})
        return str(answer["url"])

    def check(self, document: "Document") -> Record:
        """`missing`: what the document needs and the workspace lacks, and how to create it; `problems` with file and line."""
        from penstock.client.uploads import prepare, problem_of

        prepared = prepare(document)
        path = f"/api/v1/workspaces/{escaped(self._workspace)}/documents:check"
        answer: Record = self._connection.post(path, {"kind": document.kind, "document": prepared.data})
        theirs = [problem_of(problem) for problem in answer.get("problems") or ()]
        settled = prepared.document.with_paths(theirs)
        if settled is not None:
            return self.check(settled)
        return {**answer, "problems": prepared.document.together(theirs)}

    def create_missing(self, create: Record) -> Record:
        """Do what `check` proposed for one missing thing; its path is below the workspace's."""
        path = f"/api/v1/workspaces/{escaped(self._workspace)}/{create['path']}"
        found: Record = self._connection.request(create["method"], path, body=create.get("body"))
        return found
