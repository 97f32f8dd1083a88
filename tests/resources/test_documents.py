"""Documents become resources, or every problem in them is told, at its place and in words."""

import json
from typing import Any

import pytest

from penstock.errors import InvalidDocument, Problem
from penstock.resources import documents
from penstock.resources.job import CommandJob, PipelineJob
from tests.resources.corpus import COMMAND_JOB, GOOD, PIPELINE, inline_step, read, step


def problems_of(kind: str, data: Any) -> tuple[Problem, ...]:
    with pytest.raises(InvalidDocument) as caught:
        documents.parse(kind, data)
    return caught.value.problems


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_is_understood(name: str) -> None:
    """Each document of the corpus parses without a problem."""
    kind, text = GOOD[name]

    documents.parse(kind, read(text))


@pytest.mark.parametrize("name", GOOD)
def test_a_resource_written_out_reads_as_the_same_resource(name: str) -> None:
    """`to_document` is JSON, and parses to an equal resource."""
    kind, text = GOOD[name]
    resource = documents.parse(kind, read(text)).resource

    written = json.loads(json.dumps(resource.to_document()))

    assert documents.parse(kind, written).resource == resource


BAD: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    # name: kind, document, pointer, words of message, expectation or hint
    "an unknown key": (
        "environment",
        "{name: e, imge: x, image: y}",
        "/imge",
        ("imge", "did you mean `image`?"),
    ),
    "an unknown key far from any": (
        "data",
        "{name: d, path: FOLDER, zzz: 1}",
        "/zzz",
        ("zzz", "one of `auto_delete"),
    ),
    "no name": ("data", "{path: FOLDER}", "/name", ("`name` is missing",)),
    "a name that cannot be": ("model", "{name: a/b, path: FOLDER}", "/name", ("a/b", "letters, digits")),
    "a number as a name": (
        "data",
        "{name: 5, path: FOLDER}",
        "/name",
        ("`name` must be text, got the number 5",),
    ),
    "a version with a blank": (
        "data",
        "{name: d, version: '1 2', path: FOLDER}",
        "/version",
        ("1 2", "version"),
    ),
    "a list as a tag": (
        "data",
        "{name: d, path: FOLDER, tags: {a: [1]}}",
        "/tags/a",
        ("must be text, got a list",),
    ),
    "a file as an mltable": (
        "data",
        "{name: d, type: mltable, path: FILE}",
        "/path",
        ("an `mltable` needs a folder, and the path is a file",),
    ),
    "a type mistyped": (
        "data",
        "{name: d, type: uri_fodler, path: FOLDER}",
        "/type",
        ("did you mean `uri_folder`?",),
    ),
    "a file as a folder": ("data", "{name: d, path: FILE}", "/path", ("is a file", "type: uri_file")),
    "a folder as a file": ("data", "{name: d, type: uri_file, path: FOLDER}", "/path", ("is a folder",)),
    "a path that leaves its datastore": (
        "data",
        "{name: d, path: 'azureml://datastores/workspaceblobstore/paths/../x'}",
        "/path",
        ("..",),
    ),
    "a path that was not uploaded": ("data", "{name: d, path: ./x}", "/path", ("`./x` was not uploaded",)),
    "an asset made of another": ("data", "{name: m, path: 'azureml:n:1'}", "/path", ("not supported yet",)),
    "a triton model": (
        "model",
        "{name: m, type: triton_model, path: FOLDER}",
        "/type",
        ("not supported yet",),
    ),
    "an mlflow model of one file": (
        "model",
        "{name: m, type: mlflow_model, path: FILE}",
        "/path",
        ("folder",),
    ),
    "a conda file as an environment": (
        "environment",
        "{channels: [x], dependencies: []}",
        "",
        ("conda file",),
    ),
    "an environment of nothing": (
        "environment",
        "{name: e}",
        "/image",
        ("needs `image`, `conda_file` or `build`",),
    ),
    "a build context that was not uploaded": (
        "environment",
        "{name: e, build: {path: .}}",
        "/build/path",
        ("local folder `.` was not uploaded",),
    ),
    "a build context at an address": (
        "environment",
        "{name: e, build: {path: 'https://github.com/x/y'}}",
        "/build/path",
        ("from an address is not supported yet", "fetch it"),
    ),
    "a Dockerfile outside of its context": (
        "environment",
        "{name: e, build: {path: 'snapshot://%s/ctx/', dockerfile_path: ../Dockerfile}}" % ("a" * 64),
        "/build/dockerfile_path",
        ("a path inside the build context",),
    ),
    "a build context and an image": (
        "environment",
        "{name: e, image: i, build: {path: 'snapshot://%s/ctx/'}}" % ("a" * 64),
        "/image",
        ("either `image` or `build`",),
    ),
    "a conda file's path": (
        "environment",
        "{name: e, conda_file: c.yml}",
        "/conda_file",
        ("content of a conda file",),
    ),
    "a conda file without packages": (
        "environment",
        "{name: e, conda_file: {}}",
        "/conda_file",
        ("`dependencies`",),
    ),
    "a package that is a number": (
        "environment",
        "{name: e, conda_file: {dependencies: [1]}}",
        "/conda_file",
        ("entry 1", "the number 1"),
    ),
    "an incomplete route": (
        "environment",
        "{name: e, image: x, inference_config: {liveness_route: {port: 1}}}",
        "/inference_config/scoring_route",
        ("`scoring_route` is missing",),
    ),
    "windows": ("environment", "{name: e, image: x, os_type: Windows}", "/os_type", ("not supported yet",)),
    "a compute instance": ("compute", "{name: c, type: computeinstance}", "/type", ("not supported yet",)),
    "more least than most": (
        "compute",
        "{name: c, type: amlcompute, min_instances: 5, max_instances: 2}",
        "/min_instances",
        ("(5) is more than `max_instances` (2)",),
    ),
    "half an instance": (
        "compute",
        "{name: c, type: amlcompute, max_instances: 1.5}",
        "/max_instances",
        ("a whole number",),
    ),
    "no instance": (
        "compute",
        "{name: c, type: amlcompute, max_instances: 0}",
        "/max_instances",
        ("at least 1",),
    ),
    "true as a number": (
        "compute",
        "{name: c, type: amlcompute, max_instances: true}",
        "/max_instances",
        ("a whole number, got `true`",),
    ),
    "a hub": ("workspace", "{name: ws, kind: hub}", "/kind", ("not supported yet",)),
    "a workspace's name too long": ("workspace", "{name: " + "w" * 40 + "}", "/name", ("2 to 33",)),
    "a job without command": ("job", "{environment: 'azureml:e:1'}", "/command", ("`command` is missing",)),
    "a command that is a list": (
        "job",
        "{environment: 'azureml:e:1', command: [a, b]}",
        "/command",
        ("`command` must be text, got a list",),
    ),
    "an empty command": ("job", "{environment: 'azureml:e:1', command: ' '}", "/command", ("empty",)),
    "a job without environment": ("job", "{command: a}", "/environment", ("`environment` is missing",)),
    "an environment that is a list": (
        "job",
        "{command: a, environment: [1]}",
        "/environment",
        ("got a list",),
    ),
    "an environment that is a bare word": (
        "job",
        "{command: a, environment: sklearn}",
        "/environment",
        ("`sklearn` is not a reference", "azureml:<name>:<version>"),
    ),
    "a model of a registry as an environment": (
        "job",
        "{command: a, environment: 'azureml://registries/ours/models/sklearn-1.5/labels/latest'}",
        "/environment",
        ("names one of `models` where one of `environments` is needed",),
    ),
    "an inline environment with a mistake": (
        "job",
        "{command: a, environment: {image: x, conda_fil: y}}",
        "/environment/conda_fil",
        ("did you mean `conda_file`?",),
    ),
    "a pipeline that does not say so": (
        "job",
        "{jobs: {a: {command: b}}}",
        "/type",
        ("write `type: pipeline`",),
    ),
    "a pipeline of a component": (
        "job",
        "{type: pipeline, component: {type: pipeline}}",
        "/component/jobs",
        ("at least one step",),
    ),
    "an unknown key without a value": (
        "data",
        "{name: d, path: FOLDER, colour: }",
        "/colour",
        ("not a field",),
    ),
    "a sweep": ("job", "{type: sweep, trial: {}}", "/type", ("a job of type `sweep` is not supported yet",)),
    "a type nobody has": ("job", "{type: comnd, command: x}", "/type", ("did you mean `command`?",)),
    "a job's number as a tag": (
        "job",
        "{command: a, environment: 'azureml:e:1', tags: {a: 1}}",
        "/tags/a",
        ("must be text",),
    ),
    "a variable that is true": (
        "job",
        "{command: a, environment: 'azureml:e:1', environment_variables: {DEBUG: true}}",
        "/environment_variables/DEBUG",
        ("must be text, got `true`", 'quotes, as the program expects it: "true"'),
    ),
    "an unknown resource": (
        "job",
        "{command: a, environment: 'azureml:e:1', resources: {instance_cout: 1}}",
        "/resources/instance_cout",
        ("did you mean `instance_count`?",),
    ),
    "a timeout of no time": (
        "job",
        "{command: a, environment: 'azureml:e:1', limits: {timeout: 0}}",
        "/limits/timeout",
        ("at least 1, got the number 0",),
    ),
    "an odd memory size": (
        "job",
        "{command: a, environment: 'azureml:e:1', resources: {shm_size: big}}",
        "/resources/shm_size",
        ("such as `2g`, got the text `big`",),
    ),
    "code from git": (
        "job",
        "{command: a, environment: 'azureml:e:1', code: 'git+https://example.org/x'}",
        "/code",
        ("not supported yet", "clone it"),
    ),
    "an input that is a list": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x: [1]}}",
        "/inputs/x",
        ("`x` must be text, a number", "got a list"),
    ),
    "an input with no path": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: uri_file}}}",
        "/inputs/x/path",
        ("`path` is missing",),
    ),
    "an integer that is a word": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: integer, value: ten}}}",
        "/inputs/x/value",
        ("must be a whole number, got the text `ten`",),
    ),
    "an evaluated mount": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: uri_folder, path: FOLDER, mode: eval_mount}}}",
        "/inputs/x/mode",
        ("`mode: eval_mount` is for inputs of type `mltable`, not `uri_folder`", "`mode: ro_mount`"),
    ),
    "a name of an input with a dash": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x-y: 1}}",
        "/inputs/x-y",
        ("x-y", "letters, digits and `_`"),
    ),
    "data without a version": (
        "job",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {path: 'azureml:d'}}}",
        "/inputs/x/path",
        ("names no version",),
    ),
    "a version of an output that has no name": (
        "job",
        "{command: a, environment: 'azureml:e:1', outputs: {x: {version: 2}}}",
        "/outputs/x/name",
        ("`version` is given, and no `name`",),
    ),
    "an output on the disk": (
        "job",
        "{command: a, environment: 'azureml:e:1', outputs: {x: {path: ./here}}}",
        "/outputs/x/path",
        ("local path", "azureml://datastores/"),
    ),
    "a pipeline of nothing": ("job", "{type: pipeline, jobs: {}}", "/jobs", ("at least one step",)),
    "a pipeline without steps": ("job", "{type: pipeline}", "/jobs", ("at least one step",)),
    "steps in a list": ("job", "{type: pipeline, jobs: [a]}", "/jobs", ("must be a mapping, got a list",)),
    "a step with a capital": (
        "job",
        "{type: pipeline, jobs: {S1: {command: a, environment: 'azureml:e:1'}}}",
        "/jobs/S1",
        ("`S1` cannot be a name of a step", "lower-case"),
    ),
    "a step of type sweep": ("job", step("type: sweep"), "/jobs/a/type", ("a step of type `sweep`",)),
    "a step with neither": (
        "job",
        inline_step("compute: cpu"),
        "/jobs/a/command",
        ("needs `command` or `component`",),
    ),
    "a step with both": (
        "job",
        step("component: {command: a, environment: 'azureml:e:1'}\ncommand: b"),
        "/jobs/a/command",
        ("either `component` or `command`",),
    ),
    "a component of type spark": (
        "job",
        step("component: {type: spark}"),
        "/jobs/a/component/type",
        ("a component of type `spark` is not supported yet",),
    ),
    "an evaluated mount of a model": (
        "component",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: custom_model, mode: eval_download}}}",
        "/inputs/x/mode",
        ("`mode: eval_download` is for inputs of type `mltable`",),
    ),
    "a port's type with a capital": (
        "component",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: Integer}}}",
        "/inputs/x/type",
        ("did you mean `integer`?",),
    ),
    "a port's default out of range": (
        "component",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: integer, default: 5, max: 3}}}",
        "/inputs/x/default",
        ("at most 3, got the number 5",),
    ),
    "a port whose least is more than its most": (
        "component",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: integer, min: 5, max: 3}}}",
        "/inputs/x/min",
        ("is more than `max`",),
    ),
    "two ports that differ by case": (
        "component",
        "{command: a, environment: 'azureml:e:1', inputs: {x: {type: string}, X: {type: string}}}",
        "/inputs/X",
        ("differ only by case",),
    ),
    "a component with a capital": (
        "component",
        "{name: Train, command: a, environment: 'azureml:e:1'}",
        "/name",
        ("`Train` cannot be a name of a component",),
    ),
    "an initial step": (
        "job",
        inline_step("command: a", pipeline="settings: {on_init: a}"),
        "/settings/on_init",
        ("not supported yet",),
    ),
    "a flag that is a word": (
        "job",
        inline_step("command: a", pipeline="settings: {force_rerun: maybe}"),
        "/settings/force_rerun",
        ("must be true or false, got the text `maybe`",),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_says_what_is_wrong_and_where(name: str) -> None:
    """Edge cases 1.5 and 6.1 (`S1` as the name of a step) among others. Exactly one problem stands at the place, and it says the words. Edge case 5.7: `a job without environment`. Edge case 2.4: `an environment that is a bare word`."""
    kind, text, pointer, words = BAD[name]

    problems = problems_of(kind, read(text))

    at_place = [problem for problem in problems if problem.pointer == pointer]
    assert len(at_place) == 1, problems
    said = " | ".join(filter(None, (at_place[0].message, at_place[0].expected, at_place[0].hint)))
    for word in words:
        assert word in said


def test_all_problems_of_a_document_come_at_once() -> None:
    """Schema, references, expressions and bindings are told together, each once, from the first line to the last."""
    data = read(
        """
        type: pipeline
        display_name: 3
        colour: red
        inputs: {n: 5}
        jobs:
          a:
            command: a ${{inputs.nn}} ${{inputs.n}
            environment: sklearn
            inputs: {n: "${{parent.inputs.m}}"}
          b: {type: spark}
          c: {command: x, environment: "azureml:e:1", outputs: {o: "${{parent.outputs.gone}}"}}
        """
    )

    pointers = [problem.pointer for problem in problems_of("job", data)]

    assert pointers == [
        "/display_name", "/colour", "/jobs/a/command", "/jobs/a/environment", "/jobs/a/inputs/n", "/jobs/b/type",
        "/jobs/c/outputs/o",
    ]  # fmt: skip


@pytest.mark.parametrize("data", [[1], "text", None, 3])
def test_a_document_that_is_no_mapping_is_refused(data: object) -> None:
    """Whatever its kind."""
    for kind in documents.MODELS:
        (problem,) = problems_of(kind, data)
        assert problem.message.startswith("the document must be a mapping, got")


def test_a_kind_that_is_not_supported_is_named() -> None:
    """The server may be asked for kinds of a later release."""
    (problem,) = problems_of("online-endpoint", {})

    assert problem.message == "documents of kind `online-endpoint` are not supported yet"
    assert problem.code == "unsupported"


@pytest.mark.parametrize(
    ("text", "version"), [("1", "1"), ("1.0", "1.0"), ("1.10", "1.1"), ("'1.10'", "1.10")]
)
def test_versions_are_text(text: str, version: str) -> None:
    """Edge case 1.6. A number becomes text as Python writes it."""
    parsed = documents.parse("data", read(f"{{name: d, path: FOLDER, version: {text}}}"))

    assert parsed.resource.version == version  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["True", "true", "1", True, 1])
def test_flags_may_come_as_text(value: object) -> None:
    """Edge case 17.2. `--set settings.force_rerun=True` is the usual way."""
    data = read(PIPELINE)
    data["settings"] = {"force_rerun": value, "default_compute": "cpu"}

    job = documents.parse("job", data).resource

    assert isinstance(job, PipelineJob)
    assert job.settings.force_rerun is True


def test_numbers_may_come_as_text_but_literal_inputs_stay_text() -> None:
    """`--set limits.timeout=30 inputs.lr=0.5`."""
    data = {**read(COMMAND_JOB), "limits": {"timeout": "30"}}
    data["inputs"] = {**data["inputs"], "lr": "0.5"}  # type: ignore[dict-item]

    job = documents.parse("job", data).resource

    assert isinstance(job, CommandJob)
    assert job.limits is not None
    assert (job.limits.timeout, job.inputs["lr"]) == (30, "0.5")


def test_a_secret_of_a_cluster_is_never_kept() -> None:
    """The password may stand in the file; it goes nowhere."""
    text = "{name: c, type: amlcompute, ssh_settings: {admin_username: me, admin_password: hunter2}}"

    parsed = documents.parse("compute", read(text))

    assert "hunter2" not in json.dumps(parsed.resource.to_document())
    assert "hunter2" not in repr(parsed)


WARNED: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "keys of the cloud": (
        "workspace",
        "{name: ws, key_vault: x, hbi_workspace: true}",
        "/key_vault",
        ("`hbi_workspace`",),
    ),
    "a machine size": (
        "compute",
        "{name: c, type: amlcompute, size: X}",
        "/size",
        ("no effect", "this machine"),
    ),
    "idle instances": (
        "compute",
        "{name: c, type: amlcompute, min_instances: 1}",
        "/min_instances",
        ("no effect",),
    ),
    "an image": (
        "environment",
        "{name: e, image: x}",
        "/image",
        ("PENSTOCK_CONTAINERS", "this machine's tools"),
    ),
    "a conda file alone": (
        "environment",
        "{name: e, conda_file: {dependencies: []}}",
        "/image",
        ("Azure ML refuses",),
    ),
    "an instance type": (
        "job",
        COMMAND_JOB + "resources: {instance_type: X}",
        "/resources/instance_type",
        ("no effect",),
    ),
    "an identity": ("job", COMMAND_JOB + "identity: {type: user_identity}", "/identity", ("as the user",)),
    "a tier": (
        "job",
        COMMAND_JOB + "queue_settings: {job_tier: Spot}",
        "/queue_settings/job_tier",
        ("no effect",),
    ),
    "an unknown key of a step": (
        "job",
        inline_step("command: a\ncompte: x"),
        "/jobs/a/compte",
        ("is not a field of a step; it is ignored", "did you mean `compute`?"),
    ),
    "an unknown setting": (
        "job",
        inline_step("command: a", pipeline="settings: {default_compute: cpu, default_datestore: x}"),
        "/settings/default_datestore",
        ("it is ignored", "did you mean `default_datastore`?"),
    ),
    "an unknown key of a component in a step": (
        "job",
        step("component: {command: a, environment: 'azureml:e:1', limits: {timeout: 3}}"),
        "/jobs/a/component/limits",
        ("is not a field of a command component; it is ignored",),
    ),
    "a name and a version of a component in a step": (
        "job",
        step("component: {name: c, version: 3, command: a, environment: 'azureml:e:1'}"),
        "/jobs/a/component/name",
        ("`name`, `version` are ignored", "is not registered"),
    ),
    "a name of an environment in a job": (
        "job",
        "{command: a, environment: {name: e, image: x}}",
        "/environment/name",
        ("`name` is ignored", "is not registered"),
    ),
    "a public address": (
        "job",
        "{command: 'a ${{inputs.x}}', environment: 'azureml:e:1', inputs: {x: {path: 'https://example.org/x.csv?a=b&sig=c'}}}",
        "/inputs/x/path",
        ("the address holds a signature or a key",),
    ),
    "a secret": (
        "datastore",
        "{name: d, type: AzureBlob, account_name: a, container_name: c, credentials: {sas_token: x}}",
        "/credentials",
        ("`credentials` is not kept", "nothing of the cloud is reached"),
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_has_no_effect_is_named_in_a_warning(name: str) -> None:
    """Nothing in a file is passed over in silence. Edge case 1.5: unknown keys of a step are let pass. Edge case 1.8: names of what is not registered are ignored."""
    kind, text, pointer, words = WARNED[name]

    warnings = documents.parse(kind, read(text)).warnings

    (warning,) = [each for each in warnings if each.pointer == pointer]
    said = " | ".join(filter(None, (warning.message, warning.hint)))
    for word in words:
        assert word in said


def test_the_name_that_azure_ml_gives_to_an_inline_environment_is_no_wish() -> None:
    """Edge case 2.5: what its `show` prints is taken back without a word."""
    environment = (
        "{name: CliV2AnonymousEnvironment, version: 0a1b2c, conda_file: {dependencies: [pip]}, image: x}"
    )

    warnings = documents.parse("job", read(f"{{command: a, environment: {environment}}}")).warnings

    assert [warning.pointer for warning in warnings] == ["/environment/image"]


def test_the_same_warning_is_given_once() -> None:
    """Four steps with images are one remark."""
    steps = "\n".join(f"  s{n}: {{command: a, environment: {{image: x}}}}" for n in range(4))
    data = read(f"type: pipeline\ncompute: cpu\njobs:\n{steps}")

    warnings = documents.parse("job", data).warnings

    assert [warning.pointer for warning in warnings] == ["/jobs/s0/environment/image"]
    assert warnings[0].message.endswith("(4 places)")


def test_what_show_prints_is_dropped_without_a_word() -> None:
    """Edge case 1.7. Output can be fed back."""
    kind, text = GOOD["a command job that was shown"]

    parsed = documents.parse(kind, read(text))

    assert parsed.warnings == ()
    assert "status" not in parsed.resource.to_document()
