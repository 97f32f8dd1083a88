"""A compute that runs nothing: a test says how each step ends."""

from collections.abc import Callable
from pathlib import Path

from penstock.compute.interface import Finished, Handle, Launch, Reason
from penstock.errors import Conflict


class FakeCompute:
    """Steps run until the test calls `finish`, or end at once as `behave` says (it may also write files)."""

    def __init__(self, behave: Callable[[Launch], Finished | None] = lambda launch: None) -> None:
        self.behave = behave
        self.launches: dict[Path, Launch] = {}
        self.results: dict[Path, Finished] = {}

    def start(self, launch: Launch) -> Handle:
        if launch.folder in self.launches:
            raise Conflict(f"step `{launch.id}` was started in {launch.folder} before")
        self.launches[launch.folder] = launch
        finished = self.behave(launch)
        if finished is not None:
            self.results[launch.folder] = finished
        return Handle(launch.id, launch.folder, 1, "then", "this-boot", launch.fence)

    def poll(self, handle: Handle) -> Finished | None:
        return self.results.get(handle.folder)

    def cancel(self, handle: Handle) -> None:
        self.results.setdefault(handle.folder, Finished(143, 15, "canceled", 0.0, 0.0))

    def adopt(self, folder: Path) -> Handle | None:
        launch = self.launches.get(folder)
        return Handle(launch.id, folder, 1, "then", "this-boot", launch.fence) if launch else None

    def finish(self, step: str, exit_code: int | None = 0, reason: Reason = "exited") -> None:
        """End every running step of this id."""
        for folder, launch in self.launches.items():
            if launch.id == step:
                self.results.setdefault(folder, Finished(exit_code, None, reason, 0.0, 0.0))
