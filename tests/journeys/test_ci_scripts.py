"""The shell blocks of a cloud's continuous integration, run by bash through the `az` of `penstock az-shim`.

Shaped as public templates are: connect, create what is not there, register, submit, poll until the job has ended.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.az.without_az import path_without_az
from tests.journeys.mistakes import PLAIN
from tests.journeys.person import Person

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow]

FILES = {
    "ml/environment.yml": "name: ci-env\nimage: 'python:3.11'\n",
    "ml/compute.yml": "name: from-file\ntype: amlcompute\nsize: Standard_DS3_v2\nmin_instances: 0\nmax_instances: 1\n",
    "ml/data.yml": "name: from-file\ntype: uri_file\npath: rides.csv\n",
    "ml/rides.csv": "fare\n1\n2\n",
    "ml/pipeline.yml": f"""\
type: pipeline
experiment_name: from-file
settings: {{default_compute: azureml:nobody}}
inputs: {{rides: {{type: uri_file, path: azureml:ci-rides@latest}}}}
outputs: {{counted: {{type: uri_folder}}}}
jobs:
  count:
    command: wc -l < ${{{{inputs.rides}}}} > ${{{{outputs.counted}}}}/n.txt && echo $AZUREML_ARM_SUBSCRIPTION > ${{{{outputs.counted}}}}/s.txt
    {PLAIN}
    inputs: {{rides: "${{{{parent.inputs.rides}}}}"}}
    outputs: {{counted: "${{{{parent.outputs.counted}}}}"}}
""",
    "ml/fails.yml": f"type: pipeline\njobs:\n  fail:\n    command: exit 3\n    compute: azureml:local\n    {PLAIN}\n",
}  # fmt: skip

CONNECT = """
az version
az extension add -n ml -y
az extension update -n ml
az extension list
az login --service-principal -u "$CLIENT_ID" -p "$CLIENT_SECRET" --tenant "$TENANT_ID" -o none
az account set --subscription "$SUBSCRIPTION"
az configure --defaults group="$GROUP" workspace="$WORKSPACE" location=westeurope
group_there=$(az group exists -n "$GROUP")
if [ "$group_there" = false ]; then az group create -n "$GROUP" -l westeurope; fi
workspaces=$(az ml workspace list --query "[?name=='$WORKSPACE'][name]" -o tsv | wc -l)
if [[ $workspaces -eq 0 ]]; then az ml workspace create --name "$WORKSPACE" --resource-group "$GROUP"; fi
id=$(az account show -o tsv --query id | tr -d '"\\r')
printf '{\\n\\t"subscription_id": "%s",\\n\\t"resource_group": "%s",\\n\\t"workspace_name": "%s"\\n}' "$id" "$GROUP" "$WORKSPACE" > config.json
az account get-access-token --scope https://management.azure.com/.default --output none
"""

COMPUTE = """
found=$(az ml compute show -n "$COMPUTE" --query name -o tsv)
if [[ -z "$found" ]]
then
  echo "creating"
  az ml compute create --file ml/compute.yml --name "$COMPUTE" --type AmlCompute --size Standard_D2 \\
    --min-instances 0 --max-instances 2 --tier dedicated
else
  echo "there already"
  exit 0
fi
"""

# The noun comes out of a variable, as templates for several kinds of endpoint write it.
REGISTER = """
for kind in environment data; do
  there=$(az ml $kind list --query "[?name=='ci-$kind'][name]" -o tsv | wc -l)
  echo "$kind $there"
done
az ml environment create --name ci-env --file ml/environment.yml
az ml data create --file ml/data.yml --name ci-rides --type uri_file
"""

RUN = """
run_id=$(az ml job create -f "$PIPELINE" --resource-group "$GROUP" --workspace-name "$WORKSPACE" --subscription "$SUBSCRIPTION" \\
  --set experiment_name=ci --set settings.default_compute=azureml:"$COMPUTE" --set display_name="from ci" --query name -o tsv)
if [[ -z "$run_id" ]]
then
  echo "no job"
  exit 3
fi
az ml job show -n $run_id --web
status=$(az ml job show -n $run_id --query status -o tsv)
if [[ -z "$status" ]]
then
  echo "no status"
  exit 4
fi
busy=("NotStarted" "Queued" "Starting" "Preparing" "Running" "Finalizing" "CancelRequested")
while [[ ${busy[*]} =~ $status ]]
do
  sleep 0.2
  status=$(az ml job show -n $run_id --query status -o tsv)
done
echo "ended: $status"
if [[ "$status" != "Completed" ]]
then
  exit 3
fi
az ml job download --name $run_id --output-name counted --download-path results
"""

ENDPOINT = """
there=$(az ml ${kind}-endpoint list -o tsv --query "[?name=='scoring'][name]" | wc -l)
echo "there: $there"
if [[ there -ne 1 ]]; then az ml ${kind}-endpoint create --name scoring -f endpoint.yml; fi
"""

VARIABLES = {
    "CLIENT_ID": "an-application", "CLIENT_SECRET": "s3cr3t-of-ci", "TENANT_ID": "contoso.example", "GROUP": "ci-group",
    "WORKSPACE": "ci-workspace", "COMPUTE": "ci-cluster", "SUBSCRIPTION": "11111111-2222-3333-4444-555555555555",
}  # fmt: skip


@pytest.fixture(scope="module")
def runner(person: Person) -> Person:
    """A checked out project on a machine of continuous integration, where nothing was typed yet."""
    for name, text in FILES.items():
        (person.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (person.folder / name).write_text(text)
    path = os.pathsep.join([str(person.bin), os.environ["PATH"]])
    person.environment.update(VARIABLES, PATH=path_without_az(path))
    return person


def block(runner: Person, script: str, *, expect: int = 0, **more: str) -> "subprocess.CompletedProcess[str]":
    """One step of a workflow: a shell of its own, as the runner starts it."""
    put_first = 'eval "$(penstock az-shim)"\n'
    return runner.types("bash", "-eo", "pipefail", "-c", put_first + script, expect=expect, more=more)


def test_a_training_workflow_runs_as_it_is(runner: Person) -> None:
    """Every block in a shell of its own; what one did the next one finds. No secret is left behind."""
    connected = block(runner, CONNECT)
    assert "s3cr3t" not in connected.stdout + connected.stderr
    written = json.loads((runner.folder / "config.json").read_text())
    assert written == {
        "subscription_id": VARIABLES["SUBSCRIPTION"],
        "resource_group": "ci-group",
        "workspace_name": "ci-workspace",
    }
    workspace = block(runner, "az ml workspace show --query id -o tsv").stdout.strip()
    assert workspace.startswith(f"/subscriptions/{VARIABLES['SUBSCRIPTION']}/resourceGroups/ci-group/")
    assert (
        block(runner, CONNECT).stdout.count("provisioning_state") == 0
    )  # the second time everything is there

    # Templates let this block fail where the compute is not there yet: the runner's -e would end it at `show`.
    assert block(runner, f"set +e\n{COMPUTE}").stdout.startswith("creating\n")
    assert block(runner, COMPUTE).stdout == "there already\n"
    assert "environment 0\ndata 0\n" in block(runner, REGISTER).stdout
    assert block(runner, REGISTER.split("az ml environment")[0].replace("ci-$kind", "ci-env")).stdout == (
        "environment 1\ndata 0\n"
    )

    ran = block(runner, RUN, PIPELINE="ml/pipeline.yml")
    assert "ended: Completed" in ran.stdout
    assert Path(runner.folder, "results/named-outputs/counted/n.txt").read_text().strip() == "3"
    subscription = Path(runner.folder, "results/named-outputs/counted/s.txt").read_text().strip()
    assert subscription == VARIABLES["SUBSCRIPTION"]
    rows = json.loads(
        block(runner, "az ml job list --query '[].{name:display_name,at:experiment_name}'").stdout
    )
    assert {"name": "from ci", "at": "ci"} in rows
    left = [
        path for path in runner.home.rglob("*") if path.is_file() and b"s3cr3t-of-ci" in path.read_bytes()
    ]
    assert left == []


def test_a_job_that_fails_ends_the_workflow_as_in_the_cloud(runner: Person) -> None:
    """By the polling loop's own exit code."""
    block(runner, CONNECT)

    ran = block(runner, RUN, PIPELINE="ml/fails.yml", expect=3, COMPUTE="local")

    assert "ended: Failed" in ran.stdout


def test_a_composed_command_that_is_not_there_yet_is_refused_by_its_whole_name(runner: Person) -> None:
    """The count that is made of it is 0, and the script goes on to the next refusal."""
    ran = block(runner, f"set +eo pipefail\n{ENDPOINT}", expect=1, kind="batch")

    assert ran.stdout == "there: 0\n"
    assert ran.stderr.count("`batch-endpoint` is not supported yet") == 2


def test_infrastructure_stops_a_workflow_with_a_reason(runner: Person) -> None:
    """Nothing after it runs, and nothing was done."""
    ran = block(
        runner,
        "az deployment sub create --name x --location y --template-file main.bicep --parameters @p.json\necho after",
        expect=1,
    )

    assert ran.stdout == ""
    assert "`az deployment sub create` is not served by Penstock: nothing was done" in ran.stderr
    assert "az ml workspace create -n NAME" in ran.stderr
