"""Curated environments: the names that the public registry `azureml` serves, as packages that a venv can hold.

The tables beside this module (`curated/*.yaml`) hold a row per name: `python` and `packages` are what the newest
published version of the image asks for; `source` and `commit` say where in the public repository Azure/azureml-assets
it stands, and `not_known` what is not public. `left_out` holds what the image has and a venv does not: parts of the
cloud's service, packages raised for security above what their dependants allow, what is compiled against CUDA, pins
without a wheel, wheels at addresses. `also` are other names of the row, `refused` says why there can be none of it.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from penstock.errors import EnvironmentCannotBeBuilt, NotFound

REGISTRY = "azureml"
"""The registry that every workspace can read and nobody can write."""

_PREFIX = re.compile(r"azureml-", re.IGNORECASE)
_NO_NUMBER = "1"
_LATEST = "latest"
_WHY_LEFT_OUT: Mapping[str, str] = {
    "service": "they serve the cloud's own service",
    "raised": "the image raises them for security; the versions that their dependants allow are taken",
    "gpu": "they are compiled against CUDA or MPI",
    "no_wheel": "there is no wheel for this Python; whoever needs them brings another release",
    "address": "they are not on PyPI",
}


@dataclass(frozen=True)
class CuratedEnvironment:
    """One environment of the built-in registry.

    `conda` is what is built; `version` the newest that is known, or the one that was asked for. `warnings` say what is
    otherwise than in the image, `refused` why it cannot be built, `source` where its pins stand.
    """

    name: str
    version: str
    image: str | None
    conda: Mapping[str, Any]
    description: str
    warnings: tuple[str, ...] = ()
    refused: str | None = None
    source: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def is_curated_name(name: str) -> bool:
    """Whether a name means a curated environment wherever it stands: those begin with `AzureML-`."""
    return _PREFIX.match(name) is not None


def is_known(name: str) -> bool:
    """Whether the tables hold the name, with or without `AzureML-` before it."""
    return key_of(name) in _by_name()


def find(name: str, *, version: str | None = None, label: str | None = None) -> CuratedEnvironment:
    """The environment of that name, with or without `AzureML-` before it; a row stands for every version.

    Raises NotFound for a name that the tables do not hold, and for a label that is not `latest`.
    """
    if label not in (None, _LATEST):
        raise NotFound(
            f"environment `{name}` has no label `{label}`", hint="the label `latest` always exists"
        )
    row = _by_name().get(key_of(name))
    if row is None:
        raise _unknown(name)
    found = _environment_of(row)
    if version is None or version == found.version:
        return found
    warning = f"version {version} of `{found.name}` is taken from the pins of version {found.version}"
    if "version" not in _rows()[row]:
        warning = f"version {version} of `{found.name}` is taken from the pins of the newest that is known"
    return CuratedEnvironment(**{**vars(found), "version": version, "warnings": (warning, *found.warnings)})


def get(name: str, *, version: str | None = None, label: str | None = None) -> CuratedEnvironment:
    """As `find`, for use: an environment that cannot be had here raises EnvironmentCannotBeBuilt with the reason."""
    found = find(name, version=version, label=label)
    if found.refused is not None:
        raise EnvironmentCannotBeBuilt(
            f"curated environment `{found.name}` cannot be had without its image: {found.refused}",
            hint=how_to_map(found.name),
        )
    return found


def near(name: str) -> tuple[str, ...]:
    """Up to four names of the tables that may be meant, the likeliest first."""
    wanted = key_of(name)
    keys = [key for key in sorted(_by_name()) if wanted and wanted in key]
    keys += difflib.get_close_matches(wanted, list(_by_name()), n=8, cutoff=0.5)
    # `sklearn-1.2` has more in common with `sklearn-1.1` than letters say.
    family = re.split(r"[-\d]", wanted, maxsplit=1)[0]
    ordered = sorted(keys, key=lambda key: not (family and key.startswith(family)))
    return tuple(dict.fromkeys(_by_name()[key] for key in ordered))[:4]


def catalogue() -> tuple[CuratedEnvironment, ...]:
    """Every environment of the tables, by name, those that are refused too."""
    return tuple(_environment_of(name) for name in sorted(_rows(), key=str.lower))


def how_to_map(name: str) -> str:
    """The next step of whoever needs a name that cannot be had."""
    return (
        f"map it: write `{name}: <path of an environment file, or azureml:<name>@latest>` into a YAML file and name "
        "that file in PENSTOCK_ENVIRONMENT_MAP, or as the workspace's `settings.environment_map`"
    )


def _unknown(name: str) -> NotFound:
    names = near(name)
    details = [f"near: {', '.join(f'`{each}`' for each in names)}"] if names else []
    return NotFound(
        f"environment `{name}` is none of the {len(_rows())} curated ones that are known here",
        details=[*details, f"all of them: `penstock environment list --registry-name {REGISTRY}`"],
        hint=how_to_map(name),
    )


def key_of(name: str) -> str:
    """What names of one environment have in common: `AzureML-sklearn-1.5` and `sklearn-1.5` are one."""
    return re.sub(r"[-_]+", "-", _PREFIX.sub("", name, count=1)).lower()


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    import yaml

    rows: dict[str, Mapping[str, Any]] = {}
    for table in sorted(
        files("penstock.environments").joinpath("curated").iterdir(), key=lambda one: one.name
    ):
        if table.name.endswith(".yaml"):
            rows.update(yaml.safe_load(table.read_text("utf-8")))
    return rows


@cache
def _by_name() -> Mapping[str, str]:
    """Names as `key_of` writes them, to names of rows."""
    named = {key_of(name): name for name in _rows()}
    others = {key_of(other): name for name, row in _rows().items() for other in row.get("also", ())}
    return {**others, **named}


def _environment_of(name: str) -> CuratedEnvironment:
    row = _rows()[name]
    packages = [f"python={row['python']}", "pip", {"pip": list(row["packages"])}] if "python" in row else []
    return CuratedEnvironment(
        name=name,
        version=row.get("version", _NO_NUMBER),
        image=None,
        conda={"name": name, "channels": ["conda-forge"], "dependencies": packages},
        description=row["description"],
        warnings=tuple(_warnings_of(name, row)),
        refused=row.get("refused"),
        source=(*row["source"], *([f"commit {row['commit']}"] if "commit" in row else [])),
        tags=_tags_of(row),
    )


def _warnings_of(name: str, row: Mapping[str, Any]) -> list[str]:
    warnings = []
    if row.get("gpu"):
        warnings.append(f"`{name}` is made for GPUs: here its packages are installed as PyPI has them")
    for why, packages in row.get("left_out", {}).items():
        warnings.append(f"left out of `{name}`: {', '.join(packages)} ({_WHY_LEFT_OUT[why]})")
    if "not_known" in row:
        warnings.append(f"not public, and so not in `{name}` here: {row['not_known']}")
    return warnings


def _tags_of(row: Mapping[str, Any]) -> Mapping[str, str]:
    tags = {"OS": "Linux"}
    if "python" in row:
        tags["Python"] = row["python"]
    return tags
