"""What CI templates and shells do with the command line: composed names, counted lines, polling, values in variables."""

import json
from pathlib import Path

import pytest

from tests.journeys.mistakes import PLAIN, Project

# The plain environment has pip and setuptools from the network.
pytestmark = [pytest.mark.slow]

JOB = f"""\
type: pipeline
experiment_name: polled
outputs: {{result: {{type: uri_file}}}}
settings: {{default_compute: azureml:cpu-cluster, force_rerun: false}}
inputs: {{text: {{type: string, default: one}}}}
jobs:
  write:
    command: echo ${{{{inputs.text}}}} > ${{{{outputs.result}}}}
    {PLAIN}
    inputs: {{text: "${{{{parent.inputs.text}}}}"}}
    outputs: {{result: "${{{{parent.outputs.result}}}}"}}
"""

# As the blocks of templates are written: a noun in a variable, lines counted, a loop over the running states.
CI = """\
set -euo pipefail
group=taxi-rg; workspace=taxi-ws; noun=compute; compute_name=cpu-cluster
penstock workspace create --name $workspace -g $group -l westeurope --only-show-errors > /dev/null
penstock configure --defaults group=$group workspace=$workspace
exists=$(penstock $noun list --query "[?name=='$compute_name'][name]" -o tsv | wc -l)
echo "before: $exists"
if [[ $exists -eq 0 ]]; then
  penstock $noun create --name $compute_name --type amlcompute --size STANDARD_DS3_V2 --tier low_priority \\
    --min-instances 0 --max-instances 4 --idle-time-before-scale-down 120 --identity-type SystemAssigned 2> /dev/null > /dev/null
fi
echo "after: $(penstock $noun list --type amlcompute --query "[?name=='$compute_name'][name]" -o tsv | wc -l)"
state=$(penstock $noun show --name $compute_name --query provisioning_state --out tsv)
echo "compute is [$state]"
run_id=$(penstock job create -f pipeline.yml --query name -o tsv --set inputs.text='two words = one' settings.force_rerun=True \\
  --resource-group $group --workspace-name $workspace --web 2> web.txt)
echo "run is [$run_id]"
if [[ -z "$run_id" ]]; then echo "Job creation failed"; exit 3; fi
penstock job show -n $run_id --web --query name -o none 2>> web.txt
status=$(penstock job show -n $run_id --query status -o tsv)
running=("NotStarted" "Queued" "Starting" "Preparing" "Running" "Finalizing")
while [[ ${running[*]} =~ $status ]]; do sleep 0.2; status=$(penstock job show -n $run_id --query status -o tsv); done
echo "ended as [$status]"
if [[ $status != "Completed" ]]; then exit 4; fi
echo "children: $(penstock job list --parent-job-name $run_id --query '[].name' -o tsv | wc -l)"
echo "tracking is [$(penstock workspace show --query mlflow_tracking_uri -o tsv)]"
echo "studio is [$(penstock job show -n $run_id --query services.Studio.endpoint -o tsv)]"
echo "nothing is [$(penstock job show -n $run_id --query no_such_key -o tsv)]"
penstock job download --name $run_id --download-path files --output-name result 2> /dev/null
penstock job download --name $run_id --download-path all --all 2> /dev/null
penstock job update -n $run_id --set tags.reviewed=yes display_name="A new name" -o none
echo "tag is [$(penstock job show -n $run_id --query tags.reviewed -o tsv)]"
penstock compute delete --name $compute_name --yes --no-wait 2> /dev/null
echo "left: $(penstock compute list --query "[?name=='$compute_name'][name]" -o tsv | wc -l)"
"""


def test_a_ci_template_drives_a_job_to_its_end(project: Project) -> None:
    """`-o tsv` prints the value and nothing else, so that it fits into a variable, a comparison, a count of lines."""
    project.write({"pipeline.yml": JOB, "ci.sh": CI})

    done = project.person.types("bash", "ci.sh", more={"BROWSER": "true"})

    said = dict(line.split(" is [") for line in done.stdout.splitlines() if " is [" in line)
    assert "before: 0\nafter: 1\n" in done.stdout
    assert said["compute"] == "Succeeded]"
    assert "ended as [Completed]\nchildren: 1\n" in done.stdout
    assert said["tracking"].startswith("http://127.0.0.1:")
    assert said["tracking"].endswith("/mlflow/taxi-ws]")
    assert said["studio"].startswith("http://127.0.0.1:")
    assert said["nothing"] == "]"
    assert said["tag"] == "yes]"
    assert done.stdout.endswith("left: 0\n")
    (written,) = [path for path in (project.folder / "files").rglob("*") if path.is_file()]
    assert written.relative_to(project.folder / "files").parts[:2] == ("named-outputs", "result")
    assert written.read_text() == "two words = one\n"
    assert (project.folder / "all" / "named-outputs" / "result").exists()
    assert (project.folder / "all" / "artifacts").exists()
    assert "http://127.0.0.1:" in (project.folder / "web.txt").read_text()
    project.run("configure", "--defaults", "workspace=", "group=")


def test_beginnings_of_long_flags_are_enough_where_they_are_one(project: Project) -> None:
    """`--out`, `--f`, `--work`: as scripts cut them short; what could be two flags is refused with both."""
    project.write({"job.yml": f"command: echo ran\n{PLAIN}\n"})

    job = project.run(
        "job", "create", "--fi", "job.yml", "--que", "name", "--out", "tsv", "--work", "default"
    ).stdout.strip()
    project.run("job", "stream", "--nam", job)
    said = project.refused("job", "download", "--n", job, "--out", "x", code=2).said

    assert "--output" in said
    assert "--output-name" in said


def test_assets_are_made_by_flags_alone(project: Project) -> None:
    """`environment create --build-context | --conda-file --image`, `data create --type --path`, `component create -v`."""
    project.write({
        "docker/Dockerfile": "FROM python:3.11\nRUN pip install six==1.16.0\n", "conda.yml": "dependencies: [pip]\n",
        "data/a.csv": "a\n1\n", "environment.yml": "name: filed\nimage: python:3.11\n",
        "step.yml": f"name: step\ntype: command\ndescription: as it was\n{PLAIN}\ncommand: echo a\n",
    })  # fmt: skip

    def made(*words: str) -> dict[str, object]:
        record: dict[str, object] = json.loads(project.run(*words).stdout)
        return record

    built = made("environment", "create", "--name", "built", "--version", "3", "--build-context", "docker")
    described = made(
        "environment", "create", "-n", "flagged", "--conda-file", "conda.yml", "--image", "ubuntu"
    )
    filed = made("environment", "create", "--file", "environment.yml", "--set", "version=7", "tags.by=ci")
    data = made("data", "create", "--name", "rides", "--version", "1", "--type", "uri_folder", "--path", "./data", "--workspace", "default")  # fmt: skip
    step = made("component", "create", "-f", "step.yml", "-n", "renamed", "-v", "1.2")

    assert (built["version"], described["version"], filed["version"]) == ("3", "1", "7")
    assert filed["tags"] == {"by": "ci"}
    assert (data["type"], data["version"]) == ("uri_folder", "1")
    assert (step["name"], step["version"]) == ("renamed", "1.2")


def test_texts_of_a_component_and_a_workspace_are_updated_from_their_files(project: Project) -> None:
    """`component update -f`, `workspace update --file`: what may change is taken over, what a version is made of stays."""
    step = f"name: told\ntype: command\nversion: 1\ndescription: before\n{PLAIN}\ncommand: echo a\n"
    project.write({
        "step.yml": step, "workspace.yml": "name: filed-ws\ndescription: before\ntags: {kept: x}\n",
        "again.yml": step.replace("before", "after").replace("echo a", "echo b"),
        "workspace2.yml": "name: filed-ws\ndescription: after\ntags: {more: z}\n",
    })  # fmt: skip
    project.run("component", "create", "-f", "step.yml")
    project.run("workspace", "create", "-f", "workspace.yml")

    component = json.loads(project.run("component", "update", "-f", "again.yml").stdout)
    workspace = json.loads(
        project.run(
            "workspace", "update", "--name", "filed-ws", "--file", "workspace2.yml", "--set", "tags.set=y"
        ).stdout
    )
    absent = project.refused("workspace", "update", "-n", "nobody", "-f", "workspace2.yml", code=3).said

    (project.folder / "nameless.yml").write_text("description: the one of -w\n")
    words = (
        "workspace",
        "update",
        "-f",
        "nameless.yml",
        "-w",
        "filed-ws",
        "--query",
        "description",
        "-o",
        "tsv",
    )
    assert project.run(*words).stdout == "the one of -w\n"
    words = ("workspace", "update", "-f", "nameless.yml", "--query", "name", "-o", "tsv")
    assert project.run(*words).stdout == "default\n"
    assert (component["description"], component["command"]) == ("after", "echo a")
    assert (workspace["description"], workspace["tags"]) == ("after", {"kept": "x", "more": "z", "set": "y"})
    assert "nobody" in absent
    assert not Path(project.home.path / "workspaces" / "nobody").exists()
