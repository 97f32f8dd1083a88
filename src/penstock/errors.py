"""Every error that Penstock raises on purpose.

    PenstockError                     anything a user can mend; the command exits 1
    ├── UsageError                    the command line itself is wrong; exits 2
    ├── InvalidDocument               a file says something that it may not say; carries all Problems at once
    ├── NotFound                      the named thing does not exist; exits 3
    ├── AlreadyExists                 the name is taken, or the version exists with other content
    ├── UploadsMissing                a document names bytes that were not uploaded yet
    ├── Conflict                      the thing's state forbids the action (in use, not finished, ...)
    ├── NotAuthenticated              no token, or one that is expired or not ours
    ├── PermissionDenied              the caller is known and may not do this
    ├── EnvironmentCannotBeBuilt      no interpreter, conflicting pins, an unmapped conda package
    ├── JobFailed                     a streamed job ended as Failed
    ├── StorageFull                   no space left where Penstock keeps its state
    └── ServerUnavailable             the server cannot be started or reached

An error carries facts: what happened (`message`), where we looked (`details`, one line each) and the next step (`hint`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a document.

    `pointer` is a JSON pointer (RFC 6901) into the document as it was sent; whoever holds the file turns it into
    `file` and `line` (1-based). `code` is `invalid`, `unsupported`, `missing`, `not_found` or `syntax`; `note` where nothing is wrong; `not_uploaded` where a
    local path was sent as a text, because only the server knows that it stands for data.
    """

    pointer: str
    message: str
    expected: str | None = None
    hint: str | None = None
    code: str = "invalid"
    file: str | None = None
    line: int | None = None

    def at(self, file: str, line: int) -> "Problem":
        """The same problem with the place where a person finds it."""
        return replace(self, file=file, line=line)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        told = f"{': '.join(part for part in (place, self.pointer, self.message) if part)}"
        return f"{told} ({self.hint})" if self.hint else told


class PenstockError(Exception):
    """Anything that a user can mend. `status` is the HTTP status that carries it, `exit_code` the command's."""

    code: ClassVar[str] = "UserError"
    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, details: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint
        # A traceback, as a notebook shows it, ends with these lines.
        for line in (*self.details, *([f"hint: {hint}"] if hint else [])):
            self.add_note(line)

    def as_record(self) -> dict[str, Any]:
        """The error as it travels: `{"code", "message", "details", "hint"}`, and `problems` where there are some."""
        return {"code": self.code, "message": self.message, "details": list(self.details), "hint": self.hint}

    def __reduce__(self) -> tuple[Any, ...]:
        return error_from_record, (self.as_record(),)


class UsageError(PenstockError):
    """The command line cannot be understood."""

    code = "UsageError"
    exit_code = 2


class InvalidDocument(PenstockError):
    """A file says something that it may not say. All problems of the file come at once."""

    code = "ValidationError"
    status = 422

    def __init__(
        self,
        problems: Iterable[Problem],
        message: str | None = None,
        *,
        details: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(
            message or f"{count} problem{'s' if count != 1 else ''} in the document",
            details=details,
            hint=hint,
        )
        for problem in self.problems:
            self.add_note(str(problem))

    def as_record(self) -> dict[str, Any]:
        return {**super().as_record(), "problems": [asdict(problem) for problem in self.problems]}


class NotFound(PenstockError):
    """The named thing does not exist."""

    code = "ResourceNotFound"
    status = 404
    exit_code = 3


class AlreadyExists(PenstockError):
    """The name is taken, or the version exists with other content."""

    code = "AlreadyExists"
    status = 409


class Conflict(PenstockError):
    """The thing's present state forbids the action."""

    code = "Conflict"
    status = 409


class UploadsMissing(PenstockError):
    """A document names bytes, by digest, that were not uploaded yet. The client uploads them and asks again."""

    code = "UploadsMissing"
    status = 428

    def __init__(
        self,
        missing: Iterable[str],
        message: str | None = None,
        *,
        details: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        self.missing = tuple(missing)
        super().__init__(message or f"{len(self.missing)} uploads are missing", details=details, hint=hint)

    def as_record(self) -> dict[str, Any]:
        return {**super().as_record(), "missing": list(self.missing)}


class NotAuthenticated(PenstockError):
    """No token came with the request, or one that is expired, revoked or not ours."""

    code = "NotAuthenticated"
    status = 401


class PermissionDenied(PenstockError):
    """The caller is known and may not do this."""

    code = "PermissionDenied"
    status = 403


class EnvironmentCannotBeBuilt(PenstockError):
    """An environment has no interpreter here, contradicts itself, or names what cannot be installed."""

    code = "EnvironmentBuildError"
    status = 422


class JobFailed(PenstockError):
    """A job that the command waited for ended as Failed."""

    code = "JobFailed"


class StorageFull(PenstockError):
    """No space is left where Penstock keeps its state."""

    code = "StorageFull"
    status = 507


class ServerUnavailable(PenstockError):
    """The server cannot be started or reached."""

    code = "ServerUnavailable"
    status = 503


_BY_CODE: Mapping[str, type[PenstockError]] = {
    kind.code: kind
    for kind in (
        PenstockError, UsageError, InvalidDocument, NotFound, AlreadyExists, UploadsMissing, Conflict, NotAuthenticated,
        PermissionDenied, EnvironmentCannotBeBuilt, JobFailed, StorageFull, ServerUnavailable,
    )
}  # fmt: skip


def error_from_record(record: Mapping[str, Any]) -> PenstockError:
    """The error that `as_record` described, on the other side of a socket or a process border."""
    kind = _BY_CODE.get(str(record.get("code")), PenstockError)
    message = str(record.get("message", "unknown error"))
    details = tuple(record.get("details") or ())
    hint = record.get("hint")
    if kind is InvalidDocument:
        problems = [Problem(**problem) for problem in record.get("problems") or ()]
        return InvalidDocument(problems, message, details=details, hint=hint)
    if kind is UploadsMissing:
        return UploadsMissing(record.get("missing") or (), message, details=details, hint=hint)
    return kind(message, details=details, hint=hint)
