"""What checking a table against its expectations found: plain values that travel as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]
Status = Literal["passed", "failed", "warning", "not_applicable"]


@dataclass(frozen=True)
class Example:
    """A row that does not meet an expectation, by its number among the rows of the data (the first is 1)."""

    row: int
    value: Any  # Any: a JSON value


@dataclass(frozen=True)
class Result:
    """One expectation, checked.

    `name` is its name in the report, such as `fare_amount.max`; `pointer` its place in the expectations file. `failing` of
    `checked` rows did not meet it: None where it is not about single rows. `detail` says what else a person should know.
    """

    name: str
    rule: str
    column: str | None
    pointer: str
    severity: Severity
    status: Status
    expected: str
    observed: str | None = None
    failing: int | None = None
    checked: int | None = None
    fraction: float | None = None
    examples: tuple[Example, ...] = ()
    detail: str | None = None


@dataclass(frozen=True)
class Checked:
    """All results of one table, in the order of the expectations file."""

    rows: int
    columns: int
    results: tuple[Result, ...] = field(default_factory=tuple)

    @property
    def passed(self) -> bool:
        """Whether no expectation of severity `error` failed."""
        return not any(each.status == "failed" for each in self.results)

    def count(self, status: Status) -> int:
        return sum(each.status == status for each in self.results)

    def as_record(self) -> dict[str, Any]:
        """As REST returns it."""
        return {
            "passed": self.passed,
            "rows": self.rows,
            "columns": self.columns,
            "counts": {
                status: self.count(status) for status in ("passed", "failed", "warning", "not_applicable")
            },
            "results": [asdict(each) for each in self.results],
        }
