"""What the user's indexes have for one Python. uv is asked, so that their addresses, credentials and rules are its own."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.utils import canonicalize_name

from penstock.environments.conda_file import Wanted
from penstock.environments.explanations import in_short
from penstock.environments.interpreters import Interpreter
from penstock.environments.locking import Ask, Compiler, versions_in
from penstock.environments.uv import Say, Trouble, Uv, UvFailed
from penstock.errors import EnvironmentCannotBeBuilt

MOST_QUESTIONS = 400
"""Runs of uv for one environment. A file of 150 pins, of which half are gone, needs about 250 of them."""

# Their releases without a wheel take minutes to build on a Python that came after them, and nearly always fail.
BUILT_BY_COMPILERS = frozenset({
    "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pyarrow", "torch", "torchvision", "tensorflow", "xgboost",
    "lightgbm", "catboost", "statsmodels", "shap", "numba", "llvmlite", "h5py", "opencv-python", "opencv-python-headless",
    "onnx", "onnxruntime", "cryptography", "grpcio", "pillow", "scikit-image", "gensim", "spacy", "cython", "fiona", "gdal",
    "polars", "duckdb", "pyzmq", "greenlet", "lxml", "shapely", "tokenizers", "cffi", "rpds-py", "pydantic-core", "ray",
})  # fmt: skip
_NO_WHEEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\S* has no (?:usable )?wheels")
_NO_SOURCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\S* has no source distribution")
_NOT_BUILT = re.compile(r"Failed to (?:download and )?build `([A-Za-z0-9._-]+?)(?:==|\s|`)")
_MOST_FROM_SOURCE = 8


@dataclass(frozen=True)
class Refused:
    """What was asked for cannot be had together. `text` is uv's explanation."""

    text: str


@dataclass
class Budget:
    """How often the indexes may still be asked for one environment: a search that cannot end is an error."""

    label: str
    left: int = MOST_QUESTIONS

    def spend(self) -> None:
        """Count one question. Raises EnvironmentCannotBeBuilt when there were too many."""
        if self.left == 0:
            raise EnvironmentCannotBeBuilt(
                f"environment `{self.label}` cannot be relaxed: no set of packages was found in {MOST_QUESTIONS} tries",
                hint="take pins out of the conda file that the code does not need",
            )
        self.left -= 1


@dataclass
class Releases:
    """Answers about one Python. It remembers which packages have to be built from source, and which cannot be."""

    ask: Ask
    interpreter: Interpreter
    uv: Uv
    say: Say
    budget: Budget
    from_source: set[str] = field(default_factory=set)
    cannot_be_built: dict[str, str] = field(default_factory=dict)

    def alone(self, lines: Sequence[str], *, lowest: bool = False) -> Mapping[str, str] | Refused:
        """The versions that these lines have for this Python, their dependencies left aside."""
        more = [
            "--no-deps",
            *(["--prerelease", "explicit"] if "--prerelease" not in self.ask.arguments else []),
        ]
        return self._question(lines, (), [*more, *(["--resolution", "lowest-direct"] if lowest else [])])

    def together(
        self, lines: Sequence[str], limits: Sequence[str], *, lowest: bool = False
    ) -> Mapping[str, str] | Refused:
        """The versions of these lines and all that they need: the newest, or the `lowest` of the lines themselves."""
        return self._question(lines, limits, ["--resolution", "lowest-direct"] if lowest else [])

    def address(self, line: str) -> Refused | None:
        """Why a line with an address cannot be fetched; None if it can."""
        try:
            self._compile([line], (), ["--no-deps"])
        except UvFailed as failure:
            return Refused(failure.text)
        return None

    def arguments(self) -> tuple[str, ...]:
        """What holds uv to wheels, but for the packages that have none."""
        return _only_wheels_but_for(self.from_source)

    def built_on_trial(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Build what has no wheel, as the environment will; returns which packages that failed for, and why.

        uv keeps what it built, so nothing is built twice. What has a wheel after all is not held to its source.
        """
        failed = {}
        for name in sorted(self.from_source & versions.keys()):
            pin = f"{name}=={versions[name]}"
            self.from_source.remove(name)
            if self._has_wheel(pin):
                continue
            trouble = self._trouble_with_building(name, pin)
            if trouble is None:
                self.from_source.add(name)
            else:
                self.cannot_be_built[name] = trouble
                failed[name] = f"it has no wheel for this Python, and building it failed: {in_short(trouble)}"
        return failed

    def _has_wheel(self, pin: str) -> bool:
        try:
            self._compile([pin], (), ["--no-deps", "--only-binary", ":all:"])
        except UvFailed as failure:
            if failure.trouble is not Trouble.CONFLICT:
                raise
            return False
        return True

    def _trouble_with_building(self, name: str, pin: str) -> str | None:
        self.budget.spend()
        self.say(f"building {pin}, which has no wheel")
        with tempfile.TemporaryDirectory(dir=self.uv.made_folder(), prefix=".trial-") as folder:
            command = ["pip", "install", pin, "--no-deps", "--target", folder, "--quiet"]
            command += ["--python", str(self.interpreter.path), "--no-binary", name, *self.ask.arguments]
            try:
                self.uv.run(command, say=_nobody)
            except UvFailed as failure:
                if failure.trouble in (Trouble.DISK, Trouble.NETWORK):
                    raise
                return failure.text
        return None

    def _question(
        self, lines: Sequence[str], limits: Sequence[str], more: Sequence[str]
    ) -> Mapping[str, str] | Refused:
        """Ask; where only a wheel is missing, ask again with leave to build that package."""
        first: UvFailed | None = None
        from_source, needs_its_wheel = set(self.from_source), set[str]()
        for _ in range(_MOST_FROM_SOURCE):
            try:
                found = versions_in(self._compile(lines, limits, [*more, *_only_wheels_but_for(from_source)]))
            except UvFailed as failure:
                if failure.trouble in (Trouble.DISK, Trouble.NETWORK):
                    raise
                first = first or failure
                without = _named(_NO_SOURCE, failure) & from_source
                unbuilt = _named(_NOT_BUILT, failure)
                self.cannot_be_built.update(dict.fromkeys(unbuilt, failure.text))
                needs_its_wheel |= without | self.cannot_be_built.keys()
                missing = _named(_NO_WHEEL, failure) - BUILT_BY_COMPILERS
                allowed = (from_source | missing) - needs_its_wheel
                if allowed == from_source:
                    return Refused(first.text if without else failure.text)
                from_source = allowed
            else:
                self.from_source |= from_source & found.keys()
                return found
        return Refused(first.text if first else "")

    def _compile(self, lines: Sequence[str], limits: Sequence[str], more: Sequence[str]) -> str:
        self.budget.spend()
        wanted = tuple(Wanted(line, "") for line in lines)
        ask = replace(self.ask, wanted=wanted, arguments=(*self.ask.arguments, *more))
        return Compiler(ask, self.interpreter, self.uv, _nobody).compile((), limits)


def _only_wheels_but_for(names: Iterable[str]) -> tuple[str, ...]:
    return ("--only-binary", ":all:", *(part for name in sorted(names) for part in ("--no-binary", name)))


def _named(pattern: re.Pattern[str], failure: UvFailed) -> set[str]:
    """The packages, canonically, of which uv says this."""
    text = re.sub(r"\s+", " ", failure.text)
    return {canonicalize_name(name.rstrip("._-")) for name in pattern.findall(text)}


def _nobody(_: str) -> None:
    """uv's own progress, a dozen times over, would hide ours."""
