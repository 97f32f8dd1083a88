"""Outputs that have a name become assets when their step has completed: data, or a model of the registry.

Can be repeated after a crash: what a job has registered once is found again by the job's name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from penstock.events import AssetCreated
from penstock.jobs.places import Locator
from penstock.jobs.plans import PlannedOutput, StepPlan
from penstock.jobs.rows import relaxed_of
from penstock.resources.ports import MODEL_TYPES
from penstock.resources.relaxed import TAG, short_of
from penstock.store.database import Database
from penstock.store.records.asset import AssetRecord, content_digest
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction
from penstock.tracking.model_records import ModelType
from penstock.tracking.models import Models

# Properties of a version that a job made: which job, and which of its outputs.
JOB_PROPERTY, OUTPUT_PROPERTY = "penstock.job", "penstock.output"
# The property of a job that names what one of its outputs was registered as; the output's name follows.
ASSET_PROPERTY = "penstock.asset."


@dataclass(frozen=True)
class NamedOutputs:
    """Registers what a step promised to register. May be called from any thread."""

    database: Database
    models: Models
    clock: Callable[[], float]

    def register(self, job: JobRecord, plan: StepPlan, locator: Locator) -> dict[str, str]:
        """Every named output; the properties that say what each became. PenstockError where a version is taken."""
        properties = {}
        for port, output in plan.outputs.items():
            if output.name is not None:
                version = (
                    self._model(job, port, output, locator)
                    if output.type in MODEL_TYPES
                    else self._data(job, port, output)
                )
                properties[f"{ASSET_PROPERTY}{port}"] = f"azureml:{output.name}:{version}"
        return properties

    def _data(self, job: JobRecord, port: str, output: PlannedOutput) -> str:
        path = f"azureml://datastores/{output.datastore}/paths/{output.path}"
        made_by = {JOB_PROPERTY: job.name, OUTPUT_PROPERTY: port}
        with self.database.transaction() as tx:
            earlier = _registered(tx, job, output, made_by)
            if earlier is not None:
                return earlier
            name = str(output.name)
            now = self.clock()
            record = AssetRecord(
                workspace=job.workspace,
                kind="data",
                name=name,
                version=output.version or tx.assets.next_version(job.workspace, "data", name),
                spec={"type": output.type, "path": path},
                digest=content_digest({"type": output.type, "path": path}),
                description=None,
                tags={},
                properties=made_by,
                archived=False,
                anonymous=False,
                created_at=now,
                created_by=job.created_by,
                modified_at=now,
            )
            record = tx.assets.create(record)
            event = AssetCreated(f"data/{name}:{record.version}", "data", record.version)
            tx.events.append(job.workspace, now, event.type, event.subject, event.body())
        return record.version

    def _model(self, job: JobRecord, port: str, output: PlannedOutput, locator: Locator) -> str:
        name, made_by = str(output.name), {JOB_PROPERTY: job.name, OUTPUT_PROPERTY: port}
        for earlier in self.models.versions(job.workspace, name):
            if earlier.job_name == job.name and earlier.properties.get(OUTPUT_PROPERTY) == port:
                return earlier.version
        path = locator.output_path(output)
        kind: ModelType = "mlflow_model" if output.type == "mlflow_model" else "custom_model"
        made = self.models.create(
            job.workspace,
            name,
            output.version,
            path,
            type=kind,
            file_name=path.name,
            properties=made_by,
            tags={TAG: short_of(rows)} if (rows := relaxed_of(job)) else {},
            job_name=job.name,
            run_id=job.mlflow_run,
        )
        with self.database.transaction() as tx:
            event = AssetCreated(f"model/{name}:{made.version}", "model", made.version)
            tx.events.append(job.workspace, self.clock(), event.type, event.subject, event.body())
        return made.version


def _registered(
    tx: Transaction, job: JobRecord, output: PlannedOutput, made_by: dict[str, str]
) -> str | None:
    """The version that the job made of this output before the server was killed."""
    found: tuple[AssetRecord, ...] = tx.assets.list(
        job.workspace, "data", str(output.name), include_archived=True
    )
    return next(
        (each.version for each in found if made_by.items() <= each.properties.items()),
        None,
    )
