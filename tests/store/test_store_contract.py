"""SQLite in a file keeps what every database promises."""

from penstock.testing.store_contract import StoreContract


class TestSqlite(StoreContract):
    """The fixture `database` is in `conftest.py`."""
