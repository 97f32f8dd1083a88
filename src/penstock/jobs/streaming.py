"""Following a job: what its status was, what it says, until it has ended.

A follower keeps a cursor, which every line carries: whoever loses the connection goes on from the last one it saw.
"""

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.jobs import statuses as st
from penstock.jobs.places import JobFolders
from penstock.jobs.process_layout import log_names
from penstock.jobs.rows import path_of, relaxed_of
from penstock.resources.relaxed import MARK, short_of
from penstock.settings import Home
from penstock.store.database import Database
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction

# The properties of a job that hold a warning begin so; a number follows.
WARNING_PROPERTY = "penstock.warning."
_CHUNK = 256 * 1024
_EVENTS_AT_ONCE = 500


def _warnings_of(job: JobRecord) -> list[str]:
    """What the engine has noted of a step that completed: an empty output, a log that was cut."""
    return [text for name, text in sorted(job.properties.items()) if name.startswith(WARNING_PROPERTY)]


def _mark_of(job: JobRecord, status: str) -> dict[str, Any]:
    """From where it runs on, a step says that its environment is relaxed."""
    runs = status in (st.RUNNING, *st.TERMINAL) and job.type != "pipeline"
    return {"mark": MARK} if runs and relaxed_of(job) else {}


@dataclass
class Follower:
    """One reader of one job. `read` gives what is new; `ended` says that nothing more will come."""

    database: Database
    home: Home
    workspace: str
    job: str
    sequence: int = -1
    offsets: dict[str, int] = field(default_factory=dict)
    ended: bool = False
    _decoders: dict[str, Any] = field(default_factory=dict)
    _above: str = ""

    def __post_init__(self) -> None:
        with self.database.reading() as tx:
            job = tx.jobs.get(self.workspace, self.job)  # NotFound now, before the answer has begun
        self._above = f"{path_of(job)}/" if job.step is not None and job.type == "pipeline" else ""

    @property
    def cursor(self) -> str:
        return json.dumps([self.sequence, self.offsets], separators=(",", ":"))

    def resume(self, cursor: str) -> None:
        """Go on where another follower stopped. A cursor that is none starts from the beginning."""
        try:
            sequence, offsets = json.loads(cursor)
            self.sequence = int(sequence)
            self.offsets = {str(name): int(offset) for name, offset in dict(offsets).items()}
        except (ValueError, TypeError):
            return

    def read(self) -> Iterator[dict[str, Any]]:
        """What is new, in order: status changes, then what the processes wrote."""
        with self.database.reading() as tx:
            root = tx.jobs.get(self.workspace, self.job)
            members = [root, *tx.jobs.below(self.workspace, self.job)]
            events = self._events(tx, members)
        by_name = {member.name: member for member in members}
        for sequence, line in events:
            if line["status"] in st.TERMINAL and line["job"] in by_name:
                yield from self._texts(
                    by_name[line["job"]]
                )  # a step's last words come before the news of its end
            self.sequence = max(self.sequence, sequence)
            yield self._line(line)
        for member in members:
            if member.status != st.NOT_STARTED:
                yield from self._texts(member)
        if root.status in st.TERMINAL and not self.ended:
            self.ended = True
            end = {"kind": "end", "job": root.name, "status": root.status, "error": root.error}
            noted = [text for member in members for text in _warnings_of(member)]
            yield self._line({**end, "warnings": [*self._relaxed(members), *noted]})

    def _line(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {**line, "cursor": self.cursor}

    def _events(self, tx: Transaction, members: Sequence[JobRecord]) -> list[tuple[int, dict[str, Any]]]:
        if self.sequence < 0:  # the beginning is the present: a status that has passed is nobody's news
            latest = tx.events.last_sequence(self.workspace)
            return [(latest, self._status_line(job)) for job in members]
        by_subject = {f"job/{job.name}": job for job in members}
        lines, sequence = [], self.sequence
        while events := tx.events.after(self.workspace, sequence, _EVENTS_AT_ONCE):
            sequence = events[-1].sequence
            lines += [
                (event.sequence, self._event_line(event, by_subject[event.subject]))
                for event in events
                if event.type == "job.status" and event.subject in by_subject
            ]
        return lines

    def _step(self, job: JobRecord) -> str | None:
        """How the reader calls it: its path from the job that is followed, which may itself be a step."""
        path = path_of(job)
        return None if path is None else path.removeprefix(self._above)

    def _texts(self, job: JobRecord) -> Iterator[dict[str, Any]]:
        folders = JobFolders(self.home, self.workspace, job.name)
        final = job.status in st.TERMINAL
        said = {"job": job.name, "step": self._step(job)}
        for text in self._new_text(f"progress:{job.name}", folders.environment_log, final=final):
            yield self._line({**said, "kind": "progress", "text": text})
        for index, (process, log) in enumerate(log_names(job.spec["plan"])):
            # The primary process speaks for the step; the others are named, for those who ask for all of them.
            place = f"log:{job.name}:{process}" if index else f"log:{job.name}"
            more = {"process": process} if index else {}
            for text in self._new_text(place, folders.user_logs / log, final=final):
                line = {**said, **more, "kind": "log", "log": f"user_logs/{log}", "text": text}
                yield self._line(line)

    def _new_text(self, name: str, log: Path, *, final: bool) -> Iterator[str]:
        """Text that was appended since the last look; a character that is cut in two waits for its other half."""
        try:
            stream = log.open("rb")
        except FileNotFoundError:
            return
        decoder = self._decoders.setdefault(name, codecs.getincrementaldecoder("utf-8")("replace"))
        with stream:
            stream.seek(self.offsets.get(name, 0))
            while chunk := stream.read(_CHUNK):
                self.offsets[name] = stream.tell()
                text = decoder.decode(chunk)
                if text:
                    yield text
        if final:
            rest = decoder.decode(b"", True)
            if rest:
                yield rest

    def _relaxed(self, members: Sequence[JobRecord]) -> list[str]:
        """One line for each step whose environment was relaxed; what was followed lets nobody overlook it."""
        return [
            f"{f'step `{step}`' if step else f'job `{job.name}`'} ran in a {MARK} environment: {short_of(rows)}"
            for job in members
            if job.type != "pipeline" and (rows := relaxed_of(job))
            for step in (self._step(job),)
        ]

    def _status_line(self, job: JobRecord) -> dict[str, Any]:
        return {
            "kind": "status",
            "job": job.name,
            "step": self._step(job),
            "status": job.status,
            "display_name": job.display_name,
            "at": job.ended_at or job.started_at or job.created_at,
            "error": job.error,
            **_mark_of(job, job.status),
        }

    def _event_line(self, event: Any, job: JobRecord) -> dict[str, Any]:
        return {
            "kind": "status",
            "job": job.name,
            "step": self._step(job),
            "status": event.body["status"],
            "display_name": event.body["display_name"],
            "at": event.at,
            "error": event.body.get("error"),
            **_mark_of(job, event.body["status"]),
        }
