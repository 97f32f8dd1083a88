"""From requirements to a lock: every package with its version, found by `uv pip compile`."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from penstock.environments import neighbours
from penstock.environments.conda_file import Wanted, names_of
from penstock.environments.credentials import without_credentials
from penstock.environments.files import disk_errors_named
from penstock.environments.interpreters import Interpreter
from penstock.environments.uv import Say, Trouble, Uv, UvFailed

_MOST_ROUNDS = 5
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)
_BINDING_OPERATORS = ("==", "===", "~=")
_OLDEST_PIP_FOR_3_12 = Version("23.2")


@dataclass(frozen=True)
class Ask:
    """What has to be resolved. Everything that decides the outcome is in here, and it is digested as it stands."""

    wanted: tuple[Wanted, ...]
    option_lines: tuple[str, ...] = field(default=(), repr=False)
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """A package that the file leaves open, kept from a release that breaks on what the file pins."""

    name: str
    limit: str
    why: str


@dataclass(frozen=True)
class Lock:
    """Every package with its version. `text` is for people; `pins` and `option_lines` may hold credentials."""

    pins: str = field(repr=False)
    option_lines: tuple[str, ...] = field(repr=False)
    arguments: tuple[str, ...]
    warnings: tuple[str, ...]
    held: tuple[Held, ...] = ()

    @property
    def text(self) -> str:
        """The lock as it is shown and digested: without credentials, whose change makes no other environment."""
        return without_credentials(self.installable)

    @property
    def installable(self) -> str:
        """The requirements file that installs it."""
        return "".join(f"{line}\n" for line in self.option_lines) + self.pins

    @property
    def count(self) -> int:
        """How many packages it installs."""
        return len(self.pins.splitlines())

    @property
    def versions(self) -> dict[str, str]:
        """Version by canonical name; what comes from an address has none and is not in it."""
        return versions_in(self.pins)


def versions_in(pins: str) -> dict[str, str]:
    """Version by canonical name of a lock's text."""
    return {canonicalize_name(name): version for name, version in _PIN.findall(pins)}


def resolve(ask: Ask, interpreter: Interpreter, uv: Uv, say: Say, *, more_limits: Sequence[str] = ()) -> Lock:
    """Find versions that satisfy the ask on this interpreter. Raises UvFailed.

    What the ask leaves open is narrowed where it would not work together: MLflow below the version that refuses
    scikit-learn forests, and the neighbours of old releases. Where the narrowed set has no solution, the ask alone
    decides, so the explanation of a conflict never speaks of what nobody wrote. `more_limits` hold in any case.
    """
    ask, warnings = _without_unusable_pip(ask, interpreter)
    compiler = Compiler(ask, interpreter, uv, say)
    limits = [*_limits_at_first(ask), *more_limits]
    held: list[Held] = []
    for additions in _additions(ask, interpreter):
        pins = compiler.try_to_compile(additions, limits)
        if pins is not None:
            pins, reasons, held = _narrowed(pins, compiler, additions, limits)
            warnings += reasons
            break
    else:
        pins = compiler.compile(["pip"], more_limits)
    warnings += _about_mlflow(ask, versions_in(pins))
    return Lock(pins, ask.option_lines, ask.arguments, tuple(warnings), tuple(held))


@dataclass(frozen=True)
class Compiler:
    """`uv pip compile` for one ask on one interpreter."""

    ask: Ask
    interpreter: Interpreter
    uv: Uv
    say: Say

    def try_to_compile(self, additions: Sequence[str], limits: Sequence[str]) -> str | None:
        """The pins, or None where there are none that satisfy all of this. Raises UvFailed for any other trouble."""
        try:
            return self.compile(additions, limits)
        except UvFailed as failure:
            if failure.trouble is not Trouble.CONFLICT:
                raise
            return None

    def compile(self, additions: Sequence[str], limits: Sequence[str]) -> str:
        """The pins of what is asked for and the additions, within the limits. Raises UvFailed."""
        with (
            disk_errors_named(self.uv.folder),
            tempfile.TemporaryDirectory(dir=self.uv.made_folder(), prefix=".lock-") as scratch,
        ):
            asked, limited, found = (
                Path(scratch) / name for name in ("requirements.in", "limits.txt", "lock.txt")
            )
            lines = [*self.ask.option_lines, *(one.requirement for one in self.ask.wanted), *additions]
            asked.write_text("\n".join(lines) + "\n", "utf-8")
            limited.write_text("\n".join(limits) + "\n", "utf-8")
            arguments = [
                "pip",
                "compile",
                str(asked),
                "--constraints",
                str(limited),
                "--output-file",
                str(found),
            ]
            arguments += ["--python", str(self.interpreter.path), "--no-header", "--no-annotate", "--quiet"]
            self.uv.run(
                [*arguments, *self.ask.arguments, *_index_strategy(self.ask.option_lines)], say=self.say
            )
            return found.read_text("utf-8")


def _narrowed(
    pins: str, compiler: Compiler, additions: Sequence[str], limits: Sequence[str]
) -> tuple[str, list[str], list[Held]]:
    """Hold back neighbours that break until none does; one limit may bring another old release in.

    What is held back is returned with the words for it, beside the words for all that could not be.
    """
    limits, reasons, held = list(limits), dict[str, str](), dict[str, Held]()
    for _ in range(_MOST_ROUNDS):
        versions = versions_in(pins)
        broken = neighbours.neighbours_that_break(versions, _pinned(compiler.ask))
        if not broken:
            break
        limits += [f"{rule.neighbour}{rule.limit}" for rule in broken]
        held_back = compiler.try_to_compile(additions, limits)
        for rule in broken:
            offender = f"{rule.package} {versions[rule.package]}"
            newer = versions[rule.neighbour]
            if held_back is None:
                reasons[rule.neighbour] = (
                    f"{offender} may not work with {rule.neighbour} {newer}, and nothing older is allowed"
                )
                continue
            why = (
                f"it brings the same files as {offender}, so both must be of one version"
                if neighbours.are_twins(rule.package, rule.neighbour)
                else f"{offender} does not work with {rule.neighbour} {newer}, although it says that it does"
            )
            reasons[rule.neighbour] = (
                f"{rule.neighbour} is held to {rule.limit}: {why}; pin {rule.neighbour} to choose yourself"
            )
            held[rule.neighbour] = Held(rule.neighbour, rule.limit, why)
        if held_back is None:
            break
        pins = held_back
    return pins, list(reasons.values()), list(held.values())


def _without_unusable_pip(ask: Ask, interpreter: Interpreter) -> tuple[Ask, list[str]]:
    """A file's pip is honoured, since commands may call it; but one from before 23.2 does not start on Python 3.12."""
    one = names_of(ask.wanted).get("pip")
    if one is None or interpreter.minor < (3, 12):
        return ask, []
    bounds = [
        c.version
        for c in Requirement(one.requirement).specifier
        if c.operator in (*_BINDING_OPERATORS, "<", "<=")
    ]
    if all(Version(bound.removesuffix(".*")) >= _OLDEST_PIP_FOR_3_12 for bound in bounds):
        return ask, []
    rest = tuple(other for other in ask.wanted if other is not one)
    warning = f"`{one.requirement}` is left out: that pip does not run on Python {interpreter.version}; a newer one is there"
    return Ask(rest, ask.option_lines, ask.arguments), [warning]


def _limits_at_first(ask: Ask) -> list[str]:
    pinned = _pinned(ask)
    if any(name in pinned for name in neighbours.MLFLOW_NAMES):
        return []
    return [f"{name}<{neighbours.MLFLOW_THAT_REFUSES_FORESTS}" for name in neighbours.MLFLOW_NAMES]


def _additions(ask: Ask, interpreter: Interpreter) -> list[list[str]]:
    """What a conda environment has without being asked: pip, and until Python 3.12 setuptools and wheel, since old
    packages import `pkg_resources` without saying so. In the order to try: a package may need a newer setuptools.

    From 60 on setuptools puts its own distutils in the place of Python's, and releases of the years before break on
    that; from 3.12 on Python has none of its own. 82 has no `pkg_resources`, 81 warns at each import.
    """
    named = names_of(ask.wanted)
    limits = ["<60", "<81"] if interpreter.minor < (3, 12) else ["<81"] if interpreter.minor < (3, 13) else []
    tries = [["pip", f"setuptools{limit}", "wheel"] for limit in limits] or [["pip"]]
    return [[line for line in lines if re.split("<", line)[0] not in named] for lines in tries]


def _pinned(ask: Ask) -> Mapping[str, Wanted]:
    """The packages whose version the file decides."""
    pinned = {}
    for name, one in names_of(ask.wanted).items():
        requirement = Requirement(one.requirement)
        if requirement.url or any(clause.operator in _BINDING_OPERATORS for clause in requirement.specifier):
            pinned[name] = one
    return pinned


def _index_strategy(option_lines: Sequence[str]) -> list[str]:
    """pip takes the best version of all indexes; uv by itself stops at the first that knows the name."""
    extra = any(line.startswith("--extra-index-url") for line in option_lines)
    return ["--index-strategy", "unsafe-best-match"] if extra else []


def _about_mlflow(ask: Ask, found: Mapping[str, str]) -> list[str]:
    version = found.get("mlflow") or found.get("mlflow-skinny")
    if version is None:
        return []
    refuses = Version(version) >= Version(neighbours.MLFLOW_THAT_REFUSES_FORESTS)
    if refuses and "scikit-learn" in found:
        return [
            f"MLflow {version} refuses to log scikit-learn forests unless `log_model` is given "
            'serialization_format="cloudpickle" or trusted types'
        ]
    if refuses or not _is_open_to_newer(ask):
        return []
    return [
        f"no MLflow version is pinned: {version} is used, whose `log_model` saves scikit-learn forests as they are "
        f"({neighbours.MLFLOW_THAT_REFUSES_FORESTS} and later refuse them); pin `mlflow==…` to choose yourself"
    ]


def _is_open_to_newer(ask: Ask) -> bool:
    """Nothing that the file says about MLflow keeps the versions out that refuse forests."""
    named = names_of(ask.wanted)
    said = [
        Requirement(named[name].requirement).specifier for name in neighbours.MLFLOW_NAMES if name in named
    ]
    return all(SpecifierSet(str(one)).contains(neighbours.MLFLOW_THAT_REFUSES_FORESTS + ".1") for one in said)


def digest_of(*parts: str) -> str:
    """SHA-256 of the parts, in hex."""
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def read_lock(record: Path) -> Lock | None:
    """The lock that a record on disk keeps; None where there is none, or a damaged one, to be resolved anew."""
    try:
        content = json.loads(record.read_text("utf-8"))
        return Lock(
            pins=content["pins"],
            option_lines=tuple(content["option_lines"]),
            arguments=tuple(content["arguments"]),
            warnings=tuple(content["warnings"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # damaged
