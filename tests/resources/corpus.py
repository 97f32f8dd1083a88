"""Small documents, good and bad, that the tests of models and bindings share."""

from textwrap import indent

import yaml

UPLOADED_FOLDER = f"snapshot://{'a' * 64}/src/"
UPLOADED_FILE = f"snapshot://{'b' * 64}/taxi.csv"


def read(text: str) -> dict[str, object]:
    """A document as the client sends it: `FOLDER` and `FILE` stand for what was uploaded."""
    loaded = yaml.safe_load(text.replace("FOLDER", UPLOADED_FOLDER).replace("FILE", UPLOADED_FILE))
    assert isinstance(loaded, dict)
    return loaded


COMMAND_JOB = """
command: python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --out ${{outputs.model}}
code: FOLDER
environment: azureml:sklearn@latest
inputs:
  data: {type: uri_file, path: FILE}
  lr: 0.1
outputs:
  model:
"""

PIPELINE = """
type: pipeline
inputs:
  data: {type: uri_folder, path: FOLDER}
  lr: 0.1
outputs:
  model: {type: mlflow_model, mode: upload}
settings: {default_compute: "azureml:cpu"}
jobs:
  prep:
    command: python prep.py ${{inputs.raw}} ${{outputs.clean}}
    environment: azureml:sklearn@latest
    inputs: {raw: "${{parent.inputs.data}}"}
    outputs: {clean: }
  train:
    type: command
    component:
      name: train
      type: command
      command: python train.py ${{inputs.data}} $[[--lr ${{inputs.lr}}]] --n ${{inputs.n}} ${{outputs.model}}
      code: FOLDER
      environment: {image: python, conda_file: {dependencies: [python=3.11]}}
      inputs:
        data: {type: uri_folder}
        lr: {type: number, optional: true, max: 1}
        n: {type: integer, default: 3, min: 1}
      outputs:
        model: {type: mlflow_model}
    inputs: {data: "${{parent.jobs.prep.outputs.clean}}", lr: "${{parent.inputs.lr}}"}
    outputs: {model: "${{parent.outputs.model}}"}
"""

GOOD: dict[str, tuple[str, str]] = {
    "a workspace with cloud keys": (
        "workspace",
        "{name: ws, location: westeurope, storage_account: x, key_vault: y}",
    ),
    "an environment of image and conda file": (
        "environment",
        "{name: e, image: python, conda_file: {channels: [x], dependencies: [python=3.11, {pip: [mlflow]}]}}",
    ),
    "an environment of an image alone": ("environment", "{$schema: x, name: e, version: 3, image: python}"),
    "an environment with server routes": (
        "environment",
        """
        name: e
        image: python
        inference_config:
          liveness_route: {port: 80, path: /}
          readiness_route: {port: 80, path: /}
          scoring_route: {port: 80, path: /score}
        """,
    ),
    "a data file": ("data", "{name: d, type: uri_file, path: FILE, tags: {rows: 3, real: true}}"),
    "a data folder by default": ("data", "{name: d, path: FOLDER}"),
    "data in a datastore": (
        "data",
        "{name: d, version: 1.5, path: 'azureml://datastores/workspaceblobstore/paths/a/b/'}",
    ),
    "a model of a job's output": ("model", "{name: m, path: 'azureml://jobs/j/outputs/o/paths/model/'}"),
    "a model of a run": (
        "model",
        "{name: m, type: MLFLOW_MODEL, path: 'runs:/abc/model', stage: Production}",
    ),
    "a cluster": (
        "compute",
        "{name: cpu-cluster, type: AmlCompute, size: Standard_DS3_v2, min_instances: 0, max_instances: '2', "
        "tier: Dedicated, identity: {type: SystemAssigned}, idle_time_before_scale_down: 120}",
    ),
    "this machine": ("compute", "{name: box, type: local}"),
    "a command job": ("job", COMMAND_JOB),
    "a command job that was shown": (
        "job",
        COMMAND_JOB
        + """
type: command
name: happy_frog_1
status: Completed
id: azureml:/subscriptions/x
creation_context: {created_at: "2024-01-01"}
parent_job_name: null
services: {Studio: {endpoint: "http://x", type: Studio}, Tracking: {endpoint: y, type: Tracking}}
error: null
started_at: "2024-01-01"
""",
    ),
    "a pipeline": ("job", PIPELINE),
    "a pipeline whose step depends on nothing": (
        "job",
        "{type: pipeline, jobs: {a: {command: echo hi, environment: 'azureml:e:1'}}}",
    ),
    "a pipeline with a step's input read by another": (
        "job",
        """
        type: pipeline
        inputs: {n: 5}
        jobs:
          a: {command: "a ${{inputs.n}}", environment: "azureml:e:1", inputs: {n: "${{parent.inputs.n}}"}}
          b: {command: "b ${{inputs.m}}", environment: "azureml:e:1", inputs: {m: "${{parent.jobs.a.inputs.n}}"}}
        """,
    ),
    "two steps that read each other's inputs, not outputs": (
        "job",
        """
        type: pipeline
        inputs: {n: 5}
        jobs:
          a:
            command: a ${{inputs.n}} ${{inputs.from_b}} ${{outputs.o}}
            environment: azureml:e:1
            inputs: {n: 1, from_b: "${{parent.jobs.b.inputs.n}}"}
            outputs: {o: }
          b:
            command: b ${{inputs.n}} ${{inputs.o}}
            environment: azureml:e:1
            inputs: {n: "${{parent.inputs.n}}", o: "${{parent.jobs.a.outputs.o}}"}
        """,
    ),
    "a pipeline with an optional input left out": (
        "job",
        """
        type: pipeline
        inputs: {note: {type: string, optional: true}}
        jobs:
          a:
            command: a $[[--note ${{inputs.note}}]]
            environment: azureml:e:1
            inputs: {note: "${{parent.inputs.note}}"}
        """,
    ),
    "a step that says its default folder": (
        "job",
        """
        type: pipeline
        jobs:
          a: {command: a, environment: "azureml:e:1", outputs: {artifacts: }}
          b: {command: "b ${{inputs.x}}", environment: "azureml:e:1", inputs: {x: "${{parent.jobs.a.outputs.artifacts}}"}}
        """,
    ),
    "bindings in compute, limits and variables": (
        "job",
        """
        type: pipeline
        inputs: {where: cpu, seconds: 30, level: debug}
        jobs:
          a:
            command: a
            environment: azureml:e:1
            compute: ${{parent.inputs.where}}
            limits: {timeout: "${{parent.inputs.seconds}}"}
            environment_variables: {LEVEL: "x-${{parent.inputs.level}}", COUNT: 3}
        """,
    ),
    "an output with a place of its own": (
        "job",
        """
        command: a ${{outputs.o}}
        environment: azureml:e:1
        outputs: {o: {path: "azureml://datastores/${{default_datastore}}/paths/x/${{name}}/${{output_name}}/"}}
        """,
    ),
    "a component": (
        "component",
        "{name: c, command: 'a ${{inputs.x}}', environment: 'azureml:e:1', inputs: {x: {type: path}}}",
    ),
}


def step(text: str, *, pipeline: str = "") -> str:
    """A pipeline of one step `a`, with what `text` says added to it."""
    return f"type: pipeline\n{pipeline}\njobs:\n  a:\n" + indent(text, "    ")


def inline_step(text: str, *, pipeline: str = "") -> str:
    """The same, with an environment."""
    return step(f"environment: azureml:e:1\n{text}", pipeline=pipeline)
