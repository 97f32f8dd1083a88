"""Finding the local file or folder that a text in a document names."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import Problem
from penstock.resources.nearest import nearest, nearest_file
from penstock.resources.project_root import LEAVES_HINT, is_inside, place_of, real

_MOST_NAMES = 8
_SCHEME = re.compile(
    r"(azureml|https?|wasbs?|abfss?|adl|runs|models|s3a?|gs|dbfs|hdfs|snapshot|git\+\w+):|\w[\w+.-]+://", re.I
)


@dataclass(frozen=True)
class Include:
    """A file or folder that goes into a component's code, at its top, as `name`. `is_zipped`: as an archive of the folder."""

    pointer: str
    path: Path
    name: str
    is_zipped: bool = False


@dataclass(frozen=True)
class LocalPath:
    """A file or folder that must be uploaded before the document means anything elsewhere.

    `role` is `code`, `data`, `model` or `build`; `includes` where there are `additional_includes` and no code: `path` is
    the folder that these are named from then, and only gives its name. Links in it may lead as far as `root` (`take_snapshot`'s
    `project_root`): the project, or `/` for a path that a person named outside of it.
    """

    pointer: str
    path: Path
    role: str
    root: Path
    includes: tuple[Include, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What is read, wherever it is named: equal contents need to be read once."""
        included = [(include.path, include.name) for include in self.includes]
        return (self.path, self.root, self.role == "includes", *included)

    @classmethod
    def of(cls, pointer: str, path: Path, role: str, root: Path | None) -> "LocalPath":
        return cls(
            pointer, path, role, root if root is not None and is_inside(path, root) else Path(path.anchor)
        )


@dataclass(frozen=True)
class Origin:
    """The file that a part of a document was read from. Relative paths in it start from `folder`.

    `shown` is how messages call the file; `chain` are the files that led to it, resolved, itself last.
    """

    folder: Path
    shown: str
    chain: tuple[tuple[Path, str], ...] = ()

    def written(self, text: str) -> str:
        """How messages call a file that this one names: relative to where the first file was named from."""
        return os.path.normpath(Path(self.shown).parent / text)

    def below(self, file: Path, text: str) -> "Origin | None":
        """The origin of what a file that this one includes says; None where it is itself on the way to here."""
        itself = real(file)
        if any(itself == each for each, _ in self.chain):
            return None
        shown = self.written(text)
        return Origin(file.parent, shown, (*self.chain, (itself, shown)))

    def chain_from(self, file: Path) -> list[str]:
        """The names of the files from `file` to this one."""
        files = [each for each, _ in self.chain]
        return [shown for _, shown in self.chain[files.index(real(file)) :]]

    def has(self, text: str) -> bool:
        return "\0" not in text and (self.folder / text).is_file()

    def near(self, text: str) -> str | None:
        """A file of the folder that may have been meant by a bare word."""
        names = {Path(name).stem: name for name in names_in(self.folder) if name.endswith((".yml", ".yaml"))}
        close = nearest(text, names)
        return f"./{names[close]}" if close else None


class PathTrouble(Exception):
    """A path that leads to nothing, or where it must not lead."""

    def __init__(
        self, message: str, *, expected: str | None = None, hint: str | None = None, code: str = "invalid"
    ):
        super().__init__(message)
        self._parts = (message, expected, hint, code)

    def problem(self, pointer: str) -> Problem:
        return Problem(pointer, *self._parts)


def is_local(text: str) -> bool:
    """Whether a text is meant as a local path: it has no scheme and holds no expression. `file:` is local."""
    return (
        bool(text)
        and "${{" not in text
        and _SCHEME.match(text) is None
        and not text.startswith("/subscriptions/")
    )


def find_local(
    text: str, origin: Origin, *, root: Path | None, must_stay_inside: bool, folder: bool | None
) -> Path:
    """The absolute path of what a text names. Raises PathTrouble.

    A relative path must stay inside `root`, an absolute one only where `must_stay_inside`; no root, no such rule.
    `folder` says what it must be; None allows both.
    """
    if not text.strip() or "\0" in text:
        raise PathTrouble("the path is empty" if not text.strip() else "the path holds a NUL character")
    path = place_of(origin.folder / text)
    if root is not None and (must_stay_inside or not Path(text).is_absolute()) and not is_inside(path, root):
        hint = LEAVES_HINT if must_stay_inside else f"{LEAVES_HINT}, or give the absolute path"
        raise PathTrouble(
            f"`{text}` leaves the project: it leads to {real(path)}, and the project is {root}", hint=hint
        )
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        raise _missing(text, path) from None
    except OSError as error:
        raise PathTrouble(
            f"`{text}` cannot be read: {error.strerror or error} ({path})", code="missing"
        ) from error
    if folder is not None and folder is not is_folder:
        what, other = ("folder", "file") if folder else ("file", "folder")
        raise PathTrouble(f"`{text}` is a {other}, and a {what} is needed: {path}", expected=f"a {what}")
    if text.endswith("/") and not is_folder:
        raise PathTrouble(
            f"`{text}` is a file, and a `/` at the end means a folder: {path}", expected="a folder"
        )
    return path


def names_in(folder: Path) -> list[str]:
    """What a folder holds; nothing where it cannot be listed."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _missing(text: str, path: Path) -> PathTrouble:
    """The problem, with the names that are there: the first part of the path that does not exist is the mistake."""
    if path.is_symlink():
        return PathTrouble(
            f"`{text}` is a link that leads nowhere: {path} → {path.readlink()}", code="missing"
        )
    parent, name = path.parent, path.name
    while not parent.exists() and parent != parent.parent:
        parent, name = parent.parent, parent.name
    names = names_in(parent)
    # Where a folder on the way is missing, only a folder can have been meant.
    close = nearest_file(
        name, names if parent / name == path else [each for each in names if (parent / each).is_dir()]
    )
    if text.startswith("~"):
        hint = "`~` is not expanded in files: write the path out"
    elif "\\" in text:
        hint = "write `/` between folders"
    elif close is not None:
        hint = f"did you mean `{close}`?"
    elif names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        hint = f"{parent} holds {', '.join(names[:_MOST_NAMES])}{more}"
    else:
        hint = f"{parent} is empty"
    return PathTrouble(f"`{text}` does not exist: there is no {path}", hint=hint, code="missing")
