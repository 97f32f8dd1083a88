"""One transaction: the repositories of all nouns on one connection."""

from sqlalchemy import Connection

from penstock.store.records.asset import AssetRepository
from penstock.store.records.compute import ComputeRepository
from penstock.store.records.datastore import DatastoreRepository
from penstock.store.records.event import EventRepository
from penstock.store.records.job import JobRepository
from penstock.store.records.registry import RegistryRepository
from penstock.store.records.workspace import WorkspaceRepository


class Transaction:
    """All that is read and written in it is of one moment, and is kept as a whole or not at all.

    It belongs to the thread and to the `with` block that opened it. A change of state and the event that tells of it
    go into the same transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self.workspaces = WorkspaceRepository(connection)
        self.registries = RegistryRepository(connection)
        self.assets = AssetRepository(connection)
        self.datastores = DatastoreRepository(connection)
        self.computes = ComputeRepository(connection)
        self.jobs = JobRepository(connection)
        self.events = EventRepository(connection)
