"""Conda's way of naming versions, said in PyPI's way: `=1.2` becomes `==1.2.*`."""

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_OPERATORS = ("==", "!=", ">=", "<=", "~=", ">", "<", "=")
_MATCH_SPEC = re.compile(
    r"""(?:(?P<channel>[^\s=<>!~\[]+)::)?      # conda-forge::, conda-forge/linux-64::
        (?P<name>[A-Za-z0-9_.-]+)
        (?P<rest>[\s=<>!~].*)?""",
    re.VERBOSE | re.DOTALL,
)
_BRACKETS = re.compile(r"^(?P<head>[^\[\]]+)\[(?P<inside>[^\]]*)\]\s*$", re.DOTALL)
_IN_BRACKETS = re.compile(
    r"""\s*(?P<key>\w+)\s*=\s*(?P<quote>['"]?)(?P<value>.*?)(?P=quote)\s*(?:,(?=\s*\w+\s*=)|$)"""
)


class BadSpec(ValueError):
    """The text is no conda package specification, or says what PyPI's versions cannot say. The message says which.

    `conda_knows` where it is the latter.
    """

    def __init__(self, message: str, *, conda_knows: bool = False) -> None:
        super().__init__(message)
        self.conda_knows = conda_knows


@dataclass(frozen=True)
class CondaSpec:
    """One conda dependency. `constraint` is in conda's words, empty for any version.

    `build` is conda's build string or number, which names a file on a conda channel and nothing on PyPI.
    """

    channel: str | None
    name: str
    constraint: str
    build: str | None

    @property
    def versions(self) -> str:
        """The constraint as a PEP 440 specifier (`==1.2.*`, `>=1,<2`). Raises BadSpec where PyPI cannot say it."""
        return pep440_of(self.constraint, exact=self.build is not None)


def parse_conda_spec(text: str) -> CondaSpec:
    """Read one dependency: `numpy=1.21.*`, `conda-forge::x >=1,<2`, `x=1.2=py39_0`, `x[version='>=1']`."""
    text = text.split("#", 1)[0].strip()
    keys: dict[str, str] = {}
    if brackets := _BRACKETS.match(text):
        text = brackets["head"].strip()
        keys = _keys_in(brackets["inside"])
    match = _MATCH_SPEC.fullmatch(text)
    if match is None:
        raise BadSpec(f"`{text}` is no conda package specification")
    constraint, build = _version_and_build((match["rest"] or "").strip())
    return CondaSpec(
        channel=keys.get("channel") or match["channel"],
        name=match["name"].lower(),
        constraint=keys.get("version", constraint),
        build=keys.get("build") or build,
    )


def pep440_of(constraint: str, *, exact: bool = False) -> str:
    """A conda version constraint as a PEP 440 specifier.

    A single `=` matches a prefix, as conda has it; `exact` says that a build string followed, then it does not.
    A version without an operator is exact unless it ends in `*`.
    """
    if "|" in constraint:
        raise BadSpec(
            f"`{constraint}` means one version or another, which PyPI's way of naming versions cannot say",
            conda_knows=True,
        )
    parts = [_clause(part.strip(), exact=exact) for part in constraint.split(",") if part.strip()]
    specifier = ",".join(part for part in parts if part)
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        raise BadSpec(f"`{constraint}` is no version constraint that PyPI's packages know") from None
    return specifier


def _keys_in(inside: str) -> dict[str, str]:
    keys = {match["key"]: match["value"] for match in _IN_BRACKETS.finditer(inside)}
    unknown = set(keys) - {"version", "build", "channel", "subdir", "build_number"}
    if unknown or (inside.strip() and not keys):
        raise BadSpec(
            f"`[{inside}]` says more than a version, a build or a channel", conda_knows=bool(unknown)
        )
    return keys


def _version_and_build(rest: str) -> tuple[str, str | None]:
    """Split ` >=1,<2`, `=1.2=py39_0`, ` 1.2 py39_0` into versions and build."""
    rest = re.sub(r"([=<>!~|,])\s+", r"\1", rest)  # `>= 1.2` is `>=1.2`; conda is lenient here
    rest = re.sub(r"\s+([,|])", r"\1", rest)
    words = rest.split()
    if len(words) > 2:
        raise BadSpec(f"`{rest}` has more than a version and a build")
    if len(words) == 2:
        return words[0], words[1]
    with_build = re.fullmatch(r"(={1,2}[^=<>!~,|]+)=([^=<>!~,|]+)", rest)
    return (with_build[1], with_build[2]) if with_build else (rest, None)


def _clause(clause: str, *, exact: bool) -> str:
    if clause in ("*", "=*", "==*", ">=*"):
        return ""
    operator = next((known for known in _OPERATORS if clause.startswith(known)), "")
    version = clause[len(operator) :].strip()
    if not version or version[:1] in "=<>!~":
        raise BadSpec(f"`{clause}` names no version" if not version else f"`{clause}` has no known operator")
    starred = version.endswith("*")
    version = re.sub(r"\.?\*+$", "", version)
    try:
        Version(version)
    except InvalidVersion:
        raise BadSpec(
            f"`{version}` is no version that a package on PyPI can have", conda_knows=True
        ) from None
    if operator in ("=", "=="):
        prefix = starred or (operator == "=" and not exact)
        return f"=={version}.*" if prefix and _may_be_a_prefix(version) else f"=={version}"
    if operator == "!=":
        return f"!={version}.*" if starred else f"!={version}"
    if operator == "~=":
        # PyPI's `~=` wants two numbers; conda's `~=1` can only mean `1.*`.
        return f"~={version}" if "." in version else f"=={version}.*"
    if operator:
        return f"{operator}{version}"  # `>=1.2.*` is `>=1.2` to conda
    return f"=={version}.*" if starred else f"=={version}"


def _may_be_a_prefix(version: str) -> bool:
    """PEP 440 allows `.*` only after plain numbers: `==1.0rc1.*` is no specifier."""
    parsed = Version(version)
    return not (parsed.is_prerelease or parsed.is_postrelease or parsed.local or parsed.is_devrelease)
