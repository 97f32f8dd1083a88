"""What can be read from an image's name."""

import pytest

from penstock.environments.image import read_image_name

PYTHONS = {
    "python:3.10": "3.10",
    "python:3.10.4-slim-bullseye": "3.10.4",
    "docker.io/library/python:3.9": "3.9",
    "library/python:latest": None,
    "python": None,
    "python:3": None,
    "localhost:5000/python:3.12@sha256:abc": "3.12",
    "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04": None,
    "mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210513.v1": None,
    "mcr.microsoft.com/azureml/curated/sklearn-1.0-ubuntu20.04-py38-cpu:12": "3.8",
    "mcr.microsoft.com/azureml/minimal-ubuntu20.04-py38-cpu-inference:latest": "3.8",
    "mcr.microsoft.com/devcontainers/python:0-3.10": "3.10",
    "mcr.microsoft.com/devcontainers/python:dev-3.11-bullseye": "3.11",
    "jupyter/scipy-notebook:python-3.10": "3.10",
    "pytorch/pytorch:1.13-py3.9-cuda": "3.9",
    "nvcr.io/nvidia/pytorch:22.01-py3": None,
    "tensorflow/serving:2.8": None,
    "example.azurecr.io/mypy310x:1": None,
}


@pytest.mark.parametrize(("name", "python"), PYTHONS.items())
def test_the_python_of_an_image_is_read_from_its_name(name: str, python: str | None) -> None:
    """Where the name says it; nothing is guessed."""
    assert read_image_name(name).python == python


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04", True),
        ("python:3.10", True),
        ("ubuntu:22.04", True),
        ("continuumio/miniconda3", True),
        ("mcr.microsoft.com/azureml/curated/sklearn-1.0-ubuntu20.04-py38-cpu:12", False),
        ("example.azurecr.io/team/python:3.10", False),
        ("tensorflow/serving", False),
    ],
)
def test_a_plain_base_holds_nothing_that_a_conda_file_would_miss(name: str, plain: bool) -> None:
    """An operating system, MPI, conda: the usual base of a conda file."""
    assert read_image_name(name).is_plain_base == plain
