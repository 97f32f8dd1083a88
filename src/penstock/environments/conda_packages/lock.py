"""What a solve came to: every conda package by address and hash, and what pip's section adds to them."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from penstock.environments.locking import Lock

_NAMES_OF_MLFLOW = ("mlflow", "mlflow-skinny")


@dataclass(frozen=True)
class CondaPackage:
    """One package of a channel. `url` is without credentials; `record` is the channel's own record of it."""

    name: str
    version: str
    build: str
    url: str
    md5: str | None
    sha256: str | None
    record: Mapping[str, Any] = field(default_factory=dict, repr=False)  # Any: a channel's JSON

    @property
    def line(self) -> str:
        """As a lock shows it: whoever counts packages or looks for versions reads it as `name==version`."""
        found = f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}" if self.md5 else "no hash"
        return f"{self.name}=={self.version}  {self.build}  {self.url}  {found}"


@dataclass(frozen=True)
class CondaLock:
    """Everything that makes an environment. `made_by` is the program that solved it, which makes no difference to it.

    `variables` are those that the conda file sets for whoever uses the environment.
    """

    packages: tuple[CondaPackage, ...]
    subdir: str
    made_by: str
    pip: Lock
    variables: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lock as it is shown and digested."""
        lines = [f"# conda packages for {self.subdir}", *(one.line for one in self.packages)]
        if self.pip.text:
            lines += ["# installed over them by pip's section", *self.pip.text.splitlines()]
        lines += [f"# sets {name}={value}" for name, value in sorted(self.variables.items())]
        return "".join(f"{line}\n" for line in lines)

    @property
    def count(self) -> int:
        """How many packages it installs, conda's and pip's."""
        return len(self.packages) + self.pip.count

    @property
    def python_version(self) -> str | None:
        """`3.10.13`; None where there is no Python in it."""
        return next((one.version for one in self.packages if one.name == "python"), None)

    @property
    def has_mlflow(self) -> bool:
        """Whether code in it can import MLflow."""
        names = {one.name for one in self.packages} | set(self.pip.versions)
        return any(name in names for name in _NAMES_OF_MLFLOW)

    def as_record(self) -> dict[str, Any]:
        """What is kept on disk; `from_record` reads it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "CondaLock":
        """Raises KeyError, TypeError or ValueError for what is no record of a lock."""
        pip = record["pip"]
        return cls(
            packages=tuple(CondaPackage(**one) for one in record["packages"]),
            subdir=record["subdir"],
            made_by=record["made_by"],
            pip=Lock(
                pins=pip["pins"],
                option_lines=tuple(pip["option_lines"]),
                arguments=tuple(pip["arguments"]),
                warnings=tuple(pip["warnings"]),
            ),
            variables=record["variables"],
            warnings=tuple(record["warnings"]),
        )


def version_numbers(version: str) -> tuple[int, int, int]:
    """(3, 10, 13) of `3.10.13` and of `3.13.0rc2`."""
    found = [int(number) for number in re.findall(r"\d+", version)[:3]]
    major, minor, patch = (*found, 0, 0, 0)[:3]
    return major, minor, patch
