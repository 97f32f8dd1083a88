"""The lines of a file as relaxing sees them: which package, how near another release is, how much the pin matters."""

from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from penstock.environments.azure_only import stands_here_instead
from penstock.environments.conda_file import Wanted
from penstock.environments.credentials import without_credentials

# How a saved model is read depends on these, so their versions are given up last.
_READ_MODELS = frozenset({
    "scikit-learn", "xgboost", "lightgbm", "catboost", "torch", "tensorflow", "keras", "statsmodels", "transformers",
    "joblib", "cloudpickle", "mlflow", "mlflow-skinny", "onnx", "onnxruntime", "skops", "prophet", "spacy", "fastai",
})  # fmt: skip
_READ_DATA = frozenset({"numpy", "scipy", "pandas", "pyarrow", "polars", "pyspark"})
_PINNING = ("==", "===", "~=", "<", "<=")


@dataclass(frozen=True)
class Line:
    """One requirement of the file. `requirement` is None for a bare address; `name` is canonical."""

    one: Wanted
    name: str
    requirement: Requirement | None

    @property
    def asked(self) -> str:
        """The versions as the file has them, `any` where it leaves them open."""
        if self.requirement is None:
            return self.one.requirement
        specifier = str(self.requirement.specifier)
        if "/pip/" not in self.one.pointer and specifier.endswith(".*") and "," not in specifier:
            specifier = specifier.removesuffix(".*").removeprefix("=")  # conda's own `=1.21`
        return self.requirement.url or specifier or "any"

    @property
    def shown(self) -> str:
        """The line as a person knows it from the file, without credentials."""
        if self.requirement is None or "/pip/" in self.one.pointer:
            return without_credentials(self.one.requirement)
        return f"{self.requirement.name}{self.asked if self.requirement.specifier else ''}"

    @property
    def is_address(self) -> bool:
        """The line says where its package lies."""
        return self.requirement is None or self.requirement.url is not None

    @property
    def base(self) -> Version | None:
        """The version around which others are near; None where every version is as good."""
        if self.requirement is None or self.requirement.url:
            return None
        clauses = list(self.requirement.specifier)
        said = [c for c in clauses if c.operator in _PINNING] or [c for c in clauses if c.operator != "!="]
        return min((Version(c.version.removesuffix(".*")) for c in said), default=None)

    @property
    def is_pin(self) -> bool:
        """The file decides which releases may not be newer."""
        return self.requirement is not None and any(
            c.operator in _PINNING for c in self.requirement.specifier
        )

    @property
    def weight(self) -> int:
        """How much it counts that this pin is kept: 8 for what reads models, 4 for what reads data, 0 for Azure's own."""
        if stands_here_instead(self.name) or not (self.is_pin or self.is_address):
            return 0
        return 8 if self.name in _READ_MODELS else 4 if self.name in _READ_DATA else 1

    @property
    def importance(self) -> tuple[bool, int]:
        """What gives way first compares as the smallest."""
        return stands_here_instead(self.name) is None, self.weight

    def saying(self, specifier: str) -> str:
        """The line with other versions; extras and marker stay."""
        assert self.requirement is not None
        changed = Requirement(str(self.requirement))
        changed.specifier = SpecifierSet(specifier)
        return str(changed)


def line_of(one: Wanted) -> Line:
    """Read one requirement."""
    try:
        requirement = Requirement(one.requirement)
    except InvalidRequirement:
        return Line(one, _name_in_address(one.requirement), None)
    return Line(one, canonicalize_name(requirement.name), requirement)


def _name_in_address(address: str) -> str:
    """What to call `git+https://host/owner/name.git@main#subdirectory=packages/it`: its subdirectory, else its end."""
    place, _, fragment = address.partition("#")
    for part in fragment.split("&"):
        if part.startswith("subdirectory="):
            return part.removeprefix("subdirectory=").rstrip("/").rsplit("/", 1)[-1]
    path = place.split("://", 1)[-1].split("?")[0].rstrip("/")
    last = path.rsplit("/", 1)[-1].split("@")[0]
    return last.removesuffix(".git")
