"""What can be read from an image's name, without a registry: which Python is inside, and whether it is only a base."""

import re
from dataclasses import dataclass

# `py38`, `py3.9`, `python3.10`, `python-3.10` as a word of its own in the name or the tag.
_PYTHON_WORD = re.compile(r"(?<![a-z0-9])py(?:thon)?[-_:]?3\.?(\d{1,2})(?:\.(\d{1,2}))?(?![a-z0-9.])")
# The tags of the official `python` image and of images built like it: `3.10`, `3.10.4-slim`, `0-3.9`, `dev-3.11-bookworm`.
_OFFICIAL_TAG = re.compile(r"(?:\d{1,2}-|dev-\d*-?|v)?3\.(\d{1,2})(?:\.(\d{1,2}))?(?:[a-z-].*)?")
# An operating system, MPI, CUDA and conda, and no Python packages: nothing is missed without it.
_PLAIN_BASES = re.compile(
    r"mcr\.microsoft\.com/azureml/(?:openmpi|base|intelmpi|minimal|curated/minimal|mlflow-ubuntu)"
    r"|(?:docker\.io/)?(?:library/)?(?:ubuntu|debian|python|alpine|rockylinux|fedora)(?:[:@]|$)"
    r"|(?:docker\.io/)?(?:continuumio/(?:mini|ana)conda|condaforge/(?:mini|mamba)forge|mambaorg/micromamba)"
    r"|mcr\.microsoft\.com/(?:devcontainers|vscode/devcontainers)/(?:python|base)"
)


@dataclass(frozen=True)
class ImageName:
    """An image as its name describes it. `python` is `3.10` or `3.10.4`, None where the name does not say."""

    text: str
    python: str | None
    is_plain_base: bool


def read_image_name(text: str) -> ImageName:
    """Read the name. Nothing is asked over the network, and no image is run."""
    name = text.strip().removeprefix("docker://")
    return ImageName(text.strip(), _python_in(name.lower()), _PLAIN_BASES.match(name.lower()) is not None)


def _python_in(name: str) -> str | None:
    repository, tag = _parts(name.split("@", 1)[0])
    if repository.rsplit("/", 1)[-1] == "python" and (official := _OFFICIAL_TAG.fullmatch(tag)):
        return _version(official)
    found = _PYTHON_WORD.search(tag) or _PYTHON_WORD.search(repository)
    return _version(found) if found else None


def _parts(name: str) -> tuple[str, str]:
    """Repository and tag. A colon before the last slash belongs to a registry's port."""
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", tag


def _version(match: re.Match[str]) -> str:
    return f"3.{int(match[1])}" + (f".{int(match[2])}" if match[2] else "")
