"""Every artifact store keeps what all promise."""

from pathlib import Path

import pytest

from penstock.store.artifacts.files import FileArtifacts
from penstock.store.artifacts.interface import ArtifactStore
from penstock.testing.artifact_contract import ArtifactContract
from penstock.testing.artifacts import MemoryArtifacts


class TestFiles(ArtifactContract):
    """In a folder."""

    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> ArtifactStore:
        return FileArtifacts(tmp_path / "artifacts")


class TestMemory(ArtifactContract):
    """The fake."""

    @pytest.fixture
    def artifacts(self) -> ArtifactStore:
        return MemoryArtifacts()
