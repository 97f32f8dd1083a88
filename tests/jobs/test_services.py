"""What a job offers while it runs: which services, on which node, at which address."""

from typing import Any

import pytest

from penstock.errors import NotFound
from penstock.jobs.description import job_record
from penstock.jobs.services import services_on
from penstock.resources import documents
from penstock.store.records.job import JobRecord
from penstock.subscription import MADE_UP
from tests.jobs.conftest import Bench, step

SERVICES: dict[str, Any] = {
    "ui": {"type": "custom", "port": 8080},
    "everywhere": {"type": "custom", "port": 8081, "nodes": "all"},
    "board": {"type": "tensor_board", "port": 6006},
}


@pytest.fixture
def job(bench: Bench) -> JobRecord:
    """A job on two nodes."""
    bench.create("j", **step("true", services=SERVICES, resources={"instance_count": 2}))
    return bench.settle("j")


def test_a_job_shows_its_services_beside_those_that_every_job_has(job: JobRecord) -> None:
    """`services.Studio.endpoint` is there for CI; what the command listens at has an address of this machine."""
    services = job_record(job, (), MADE_UP, "local", "http://127.0.0.1:9")["services"]

    assert set(services) == {"Studio", "Tracking", "ui", "everywhere", "board"}
    assert services["ui"]["endpoint"] == "http://127.0.0.1:8080"
    assert services["board"]["endpoint"] is None, "nobody starts it"


def test_a_job_that_was_shown_can_be_created_again(job: JobRecord) -> None:
    """Addresses and statuses are output; the services themselves are kept."""
    shown = job_record(job, (), MADE_UP, "local", "http://127.0.0.1:9")

    again = documents.parse("job", shown).resource

    assert set(again.to_document()["services"]) == set(SERVICES)


def test_services_are_listed_node_by_node(job: JobRecord) -> None:
    """On the first node all of them, on the others what is on all nodes."""
    assert set(services_on(job, 0)) == set(SERVICES)
    assert set(services_on(job, 1)) == {"everywhere"}
    with pytest.raises(NotFound, match="has no node 2"):
        services_on(job, 2)
