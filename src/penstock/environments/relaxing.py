"""What a relaxed environment has instead of what was asked for: one row per difference."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relaxation:
    """One difference between what a document asks for and what a relaxed environment holds.

    `what` is a package's name or `python`; `asked` is as written (`==0.24.1`, `git+https://…`, `any`), without
    credentials; `taken` is what stands for it (`1.0.2`, `<2`), None where it is left out. `pointer` is the JSON pointer of
    the line that asks.
    """

    what: str
    asked: str
    taken: str | None
    why: str
    pointer: str
