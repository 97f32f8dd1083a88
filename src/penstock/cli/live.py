"""A job while it runs, as a tree that is redrawn on a terminal: step, status, time, the last line of its log."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.client.progress import duration, web_view_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.tree import Tree

# Any: a JSON record.
Record = Mapping[str, Any]

_ENDED = frozenset(("Completed", "Failed", "Canceled", "NotResponding", "Bypassed"))
_STYLES = {
    "Completed": "green",
    "Failed": "red",
    "Canceled": "yellow",
    "CancelRequested": "yellow",
    "Running": "cyan",
}
_REDRAWS_PER_SECOND = 4
_BRANCH = 4  # columns of "├── "


@dataclass
class Row:
    """One line of the tree: the job itself, or a step."""

    title: str
    status: str = "NotStarted"
    started_at: float | None = None
    ended_at: float | None = None
    note: str = ""
    mark: str = ""

    def apply(self, event: Record, now: float) -> None:
        """Take over what an event says. Times are the server's; `now` stands in where it sends none."""
        kind = event.get("kind")
        if kind == "status":
            at = float(event.get("at") or now)
            self.status = str(event.get("status"))
            self.mark = str(event.get("mark") or self.mark)
            if self.status not in ("NotStarted", "Queued") and self.started_at is None:
                self.started_at = at
            if self.status in _ENDED:
                self.ended_at = at
                self.note = ""
        elif kind in ("log", "progress"):
            lines = str(event.get("text", "")).strip().splitlines()
            if lines:
                self.note = lines[-1]

    def elapsed(self, now: float) -> str:
        """How long it has run, empty before it starts."""
        if self.started_at is None:
            return ""
        return duration((self.ended_at or now) - self.started_at)


class View:
    """The rows of one job by their paths, in the order in which its steps are written; what only events name comes last."""

    def __init__(self, record: Record) -> None:
        self.root = Row(str(record.get("display_name") or record.get("name")), str(record.get("status")))
        self.steps: dict[str, Row] = dict(_rows_within(record, ""))
        self._name = record.get("name")

    def apply(self, event: Record, now: float) -> None:
        step = event.get("step")
        if (
            step and event.get("job") != self._name
        ):  # the one that is followed may itself be a step of a pipeline
            self.steps.setdefault(str(step), Row(str(step).rpartition("/")[2])).apply(event, now)
        elif event.get("kind") == "end":
            self.root.apply({"kind": "status", "status": event.get("status"), "at": event.get("at")}, now)
        else:
            self.root.apply(event, now)


def _rows_within(record: Record, above: str) -> Iterator[tuple[str, Row]]:
    for name, step in (record.get("jobs") or {}).items():
        yield above + name, Row(name)
        yield from _rows_within(step, f"{above}{name}/")


class LiveProgress:
    """Draws the view on stderr, four times a second and once more at the end. rich is imported by `start`."""

    def __init__(self, record: Record, console: "Console | None" = None) -> None:
        self._record = record
        self._view = View(record)
        self._console = console
        self._live: Live | None = None
        self._unfinished = ""

    def start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = self._console or Console(stderr=True)
        console.print(f"job {self._record.get('name')}", markup=False, highlight=False)
        page = web_view_of(self._record)
        if page:
            console.print(page, markup=False, highlight=False, soft_wrap=True, style="dim")
        self._live = Live(
            get_renderable=self._tree,
            console=console,
            refresh_per_second=_REDRAWS_PER_SECOND,
            transient=False,
        )
        self._live.start()

    def event(self, event: Record) -> None:
        if event.get("process"):
            return  # the primary process speaks for its step
        if event.get("kind") != "log" or self._view.steps:
            self._view.apply(event, time.time())
        else:
            # A job without steps has room for its log, above the line that is redrawn; a part of a line waits for the rest.
            *lines, self._unfinished = (self._unfinished + str(event.get("text", ""))).split("\n")
            self._print(lines)

    def stop(self) -> None:
        """Draw the last state and give the terminal back; harmless when called twice."""
        if self._live is not None:
            self._print([self._unfinished] if self._unfinished else [])
            self._unfinished = ""
            self._live.stop()
            self._live = None

    def _print(self, lines: list[str]) -> None:
        if self._live is not None:
            for line in lines:
                self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _tree(self) -> "Tree":
        from rich.text import Text
        from rich.tree import Tree

        now = time.time()
        rows = self._view.steps
        width = max((len(row.title) + _BRANCH * path.count("/") for path, row in rows.items()), default=0)

        def line(row: Row, indent: int) -> Text:
            text = Text(row.title.ljust(indent), no_wrap=True, overflow="ellipsis")
            text.append(f"  {row.status:<12}", style=_STYLES.get(row.status, ""))
            text.append(f"{row.elapsed(now):>7}")
            if row.mark:
                text.append(f"  {row.mark}", style="yellow")
            if row.note:
                text.append(f"  {row.note}", style="dim")
            return text

        # A step's title stands four columns further right than that of what it is in; what follows them is aligned.
        indent = max(len(self._view.root.title), width + _BRANCH)
        tree = Tree(line(self._view.root, indent))
        branches = {"": tree}
        for path, row in rows.items():
            above = branches.get(path.rpartition("/")[0], tree)
            branches[path] = above.add(line(row, indent - _BRANCH * (1 + path.count("/"))))
        return tree
