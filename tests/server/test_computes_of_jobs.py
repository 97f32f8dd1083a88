"""What a job asks of its compute: that it is there, and that it has as many instances."""

from typing import Any

import pytest

from penstock.testing.records import a_job
from tests.server.conftest import Api


def validated(api: Api, **more: Any) -> dict[str, Any]:
    document = {"command": "echo hi", "environment": {"image": "x"}, **more}
    answer = api.post("workspaces/default/jobs:validate", document=document)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def pool(api: Api) -> Api:
    """A server with a compute of three instances."""
    api.create("computes", name="pool", type="amlcompute", max_instances=3)
    return api


@pytest.mark.parametrize("name", ["azureml:pool", "pool"])
def test_a_compute_is_named_with_or_without_its_prefix(pool: Api, name: str) -> None:
    """Edge case 3.1."""
    assert validated(pool, compute=name, resources={"instance_count": 3})["result"] == "Succeeded"


def test_an_unknown_compute_is_found_at_its_place(pool: Api) -> None:
    """Edge case 3.6: in a job and in a step of a pipeline."""
    alone = validated(pool, compute="gpu")
    step = {"command": "true", "environment": {"image": "x"}, "compute": "azureml:gpu"}
    inside = pool.post("workspaces/default/jobs:validate", document={"type": "pipeline", "jobs": {"a": step}})

    assert [(error["path"], error["message"][:31]) for error in alone["errors"]] == [
        ("/compute", "Not found compute with name gpu")
    ]
    assert [error["path"] for error in inside["errors"]] == ["/jobs/a/compute"]


def test_more_instances_than_the_compute_has_are_refused_at_once(pool: Api) -> None:
    """It would wait for ever; a compute of another size, or of no size, may take it."""
    document = {"command": "true", "environment": {"image": "x"}, "resources": {"instance_count": 4}}

    status, error = pool.refused(
        "POST", "workspaces/default/jobs", json={"document": {**document, "compute": "pool"}}
    )

    assert status == 422
    (problem,) = error["problems"]
    assert (problem["pointer"], problem["expected"]) == ("/resources/instance_count", "at most 3")
    assert "--max-instances 4" in problem["hint"]
    assert validated(pool, **document)["result"] == "Succeeded"


def test_a_compute_with_active_jobs_is_not_deleted(pool: Api) -> None:
    """Edge case 3.3: the error names them; jobs that have ended are in nobody's way."""
    plan = {"plan": {"compute": "pool"}}
    with pool.platform.database.transaction() as tx:
        for name, status in (("ended", "Completed"), ("waits", "Queued")):
            tx.jobs.insert(a_job(name, workspace="default", compute="pool", status=status, spec=plan))

    status, error = pool.refused("DELETE", "workspaces/default/computes/pool")

    assert status == 409
    said = " ".join([error["message"], *error.get("details", ()), error.get("hint") or ""])
    assert "waits" in said
    assert "ended" not in said
    assert pool.get("workspaces/default/computes/pool")["name"] == "pool"


def test_services_of_a_node_that_is_not_there(pool: Api) -> None:
    """A job without services has none to show; a node that it does not have is an error."""
    with pool.platform.database.transaction() as tx:
        tx.jobs.insert(a_job("j", workspace="default", spec={"plan": {}}))

    assert pool.get("workspaces/default/jobs/j/services") == {}
    status, error = pool.refused("GET", "workspaces/default/jobs/j/services?node_index=1")
    assert (status, error["message"]) == (404, "job `j` has no node 1")
