"""What a relaxed environment has otherwise than its document asks for, and what a registered version keeps of it."""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Registered:
    """What a version was relaxed to when it was registered: a conda file that pins all of it, and the differences."""

    conda: Mapping[str, object]
    relaxations: tuple[Relaxation, ...]
