"""The subscription in long ids: the home's, the same for REST, the command line and Python, and changed at once."""

from typing import Any

import pytest

from penstock import config_file
from penstock.subscription import MADE_UP, PART
from penstock.testing.records import a_job
from tests.server.conftest import Api

SET = "11111111-2222-3333-4444-555555555555"


def ids(api: Api) -> dict[str, str]:
    """The id of one record of each kind, as each of its addresses tells it."""
    place = "workspaces/default"
    paths = {
        "workspace": place, "workspaces": "workspaces", "registry": "registries/azureml", "registries": "registries",
        "compute": f"{place}/computes/c", "computes": f"{place}/computes", "datastore": f"{place}/datastores/workspaceblobstore",
        "datastores": f"{place}/datastores", "environment": f"{place}/environments/e/versions/1",
        "job": f"{place}/jobs/j",
        "jobs": f"{place}/jobs",
    }  # fmt: skip
    found: dict[str, Any] = {name: api.get(path) for name, path in paths.items()}
    return {name: (value[0] if isinstance(value, list) else value)["id"] for name, value in found.items()}


@pytest.fixture
def filled(api: Api) -> Api:
    """One thing of each kind; a model's id is made as an environment's is, and would start MLflow."""
    api.create("computes", name="c", type="amlcompute")
    api.create("environments", name="e", version="1", image="python:3.11")
    with api.platform.database.transaction() as tx:
        tx.jobs.insert(a_job("j", workspace="default", type="pipeline", status="Completed"))
    return api


def test_every_id_names_the_subscription_that_counts(filled: Api) -> None:
    """The made-up one; then, without a restart, that of `az account set`; and the made-up one where the file is damaged."""
    before = ids(filled)
    config_file.change(filled.platform.home, PART, lambda _: {"subscription": SET})
    after = ids(filled)
    filled.platform.home.config.write_text("{")

    assert {name for name, each in before.items() if f"/subscriptions/{MADE_UP}/" not in each} == set()
    assert after == {name: each.replace(MADE_UP, SET) for name, each in before.items()}
    assert ids(filled) == before
