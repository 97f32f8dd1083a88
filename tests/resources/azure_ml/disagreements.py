"""Where Penstock and the loaders of azure-ai-ml say different things about a file, and why.

A rule covers cases by a pattern over their names. The test fails where a disagreement has no rule, and where a rule has no
disagreement left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Rule:
    """`penstock` says what Penstock does with the cases that the pattern finds; azure-ai-ml does the opposite."""

    penstock: Literal["accepts", "refuses"]
    topic: str
    pattern: str
    reason: str

    def covers(self, case: str, *, accepted: bool) -> bool:
        """Whether the rule speaks about a case that Penstock accepted, or refused."""
        return accepted == (self.penstock == "accepts") and re.search(self.pattern, case) is not None


RULES: Final[Sequence[Rule]] = (
    # What the SDK refuses, or cannot read.
    Rule(
        "accepts",
        "a field with nothing behind it (`tags:`)",
        r"(: null$|: \{\w+: null\}$)",
        "nothing written is nothing said: the same as leaving the field out. Required fields are asked for in both",
    ),
    Rule(
        "accepts",
        "`type: Command`, `type: Uri_Folder`, `tier: LowPriority` and their like",
        r"(type: (Command|Pipeline|Uri_Folder|MLflow_Model|Azure_Blob)$|tier: LowPriority|\{type: (PyTorch|AMLToken))",
        "names of types are read without regard to case everywhere, as the service itself does for most of them",
    ),
    Rule(
        "accepts",
        "`environment: environment.yml` and `conda_file: file:conda.yml`",
        r"environment: environment\.yml$|conda_file: file:conda\.yml$",
        "a path is a path, with and without `file:` before it",
    ),
    Rule(
        "accepts",
        "`mode: rw_mount` of an input",
        r"mode: rw_mount\}\}$",
        "ports of components may have it; the step gets what it gets by `download`, a copy of its own",
    ),
    Rule(
        "accepts",
        "`default_compute: pool` and `default_datastore: store` without `azureml:`",
        r"settings: \{default_compute: (pool|'azureml:pool', default_datastore: store)\}$",
        "the same name is taken bare in every other place, and examples of the product have it so",
    ),
    Rule(
        "accepts",
        "`comment` of a step, and fields that a step does not have",
        r"jobs\.s\.(comment: |colour: red|resources: \{colour: red\})",
        "the product takes them in steps that use a component; here all steps are alike, and a warning names what has no effect",
    ),
    Rule(
        "accepts",
        "`type: float` of a component's input, an output without `type`",
        r"inputs: \{x: \{type: float|outputs: \{o: \{\}\}$",
        "older components have `float` for `number`; an output without a type is a folder, as in jobs",
    ),
    Rule(
        "accepts",
        "`settings` of a workspace, and datastores of type `local`",
        r"^workspace settings: |^datastore-local( |$)",
        "they are Penstock's own: which addresses stand for local files, and folders of this machine as datastores",
    ),
    Rule(
        "accepts",
        "`expectations` of data",
        r"^data expectations: (rides|\{rows: \{)",
        "they are Penstock's own; in a file of their name beside the asset's, the asset's file stays one that both read",
    ),
    Rule(
        "accepts",
        "`properties` of environments, workspaces, registries and datastores; numbers as tags of all assets",
        r"^(environment|workspace|registry|datastore-\S+) properties: |^(compute|workspace|datastore-\S+) tags: \{a: (1|true)\}$",
        "all assets can have properties here, and a number is text in every asset's tags",
    ),
    Rule(
        "accepts",
        "ids, modes and fields of older versions at an Azure workspace's or registry's parts",
        r"^workspace (storage_account|key_vault|application_insights|container_registry|customer_managed_key|public_network_access|managed_network|serverless_compute|network_acls|v1_legacy_mode|feature_store_settings|kind): |^registry (primary_location|resource_group|replication_locations|location|public_network_access|container_registry|managed_resource_group_\w+): ",
        "they are recorded with a warning and mean nothing on this machine: they are not judged",
    ),
    Rule(
        "accepts",
        "`credentials` of a datastore, whatever they look like",
        r"^datastore-\S+ credentials: ",
        "they are dropped before anything is kept, with a warning: their form does not matter",
    ),
    # What the SDK's loaders let through.
    Rule(
        "refuses",
        "names that cannot be in a reference or a path (`a b`, `a/b`, `a:b`, an empty one)",
        r" name: ('a b'|a b|a/b|a:b|''|run 1|run/1|team 1|store-1|store 1|shared 1)$|: \{'?(9x|x y|x-y|9o)'?: ",
        "the service refuses them when the asset is created or the job submitted",
    ),
    Rule(
        "refuses",
        "local files that are not there",
        r"nowhere|data\.zip",
        "the SDK notices it at upload; here it is told with everything else, with file and line",
    ),
    Rule(
        "refuses",
        "an empty command, path, image or name of a compute",
        r": ''$",
        "nothing could be run, read or built from it",
    ),
    Rule(
        "refuses",
        "a key that is given twice in one mapping",
        r"with a key twice$",
        "one of the two is a mistake, and the loader would drop the first without a word",
    ),
    Rule(
        "refuses",
        "an expression that names no input, output, step or port, and a pipeline that runs in a circle",
        r"undeclared input$|unknown expression$|with a circle$|that is not there$|without its input$",
        "the service refuses the job when it is submitted; the loader does not look",
    ),
    Rule(
        "refuses",
        "values that do not fit a port: a word for a number, a default outside `enum`, `min` and `max`",
        r"words for a number$|default: c, enum|default: 9, min|min: 5, max: 1",
        "the step would start and fail; the loader does not compare",
    ),
    Rule(
        "refuses",
        "two inputs whose names differ only by case",
        r"x: \{type: string\}, X: ",
        "the service refuses the component; variables made from the names would be one",
    ),
    Rule(
        "refuses",
        "`code` that is not local: a registered code asset, a git or web address",
        r"code: (azureml:c:1|git\+https|https:)",
        "what runs is what lies in the project at that moment; nothing is fetched",
    ),
    Rule(
        "refuses",
        "an environment of neither image nor conda file nor build context, or of two of them that exclude each other",
        r"environment: (\{\}|\{image: 'python:3\.11', build)|environment image: \(left out\)|neither image nor build|a build context and a conda file|environment build: ",
        "there is nothing to build, or it is not said which counts",
    ),
    Rule(
        "refuses",
        "true, false and lists as values of `environment_variables`",
        r"environment_variables: \{A: (true|\[b\]|null)",
        "`True` or `true`? The program that reads it knows, and quotes say which",
    ),
    Rule(
        "refuses",
        "true, false and lists as a version, lists as tags and properties, text in place of properties",
        r"version: (true|\['1'\])$|(tags|properties): (\{a: \[b\]\}|a=b)$|component properties: \{a: (1|true)\}$",
        "what would be kept is the Python spelling of the value",
    ),
    Rule(
        "refuses",
        "counts and times below one, halves of an instance, more at least than at most",
        r"timeout: (0|-1|1\.5)\}|instance_count: 0|process_count_per_instance: 0|min_instances: (-1|1\.5)$|max_instances: 0$|more at least than at most$",
        "the service refuses them; the SDK cuts `1.5` down without a word",
    ),
    Rule(
        "refuses",
        "`shm_size: much`",
        r"shm_size: much",
        "it must be a number and `b`, `k`, `m` or `g`",
    ),
    Rule(
        "refuses",
        "a compute with a version (`azureml:pool:1`)",
        r"compute: azureml:pool:1$",
        "computes have none, and the service finds none of that name",
    ),
    Rule(
        "refuses",
        "data without a path, a model without a path, data without a name",
        r"inputs: \{x: \{type: uri_folder\}\}$|path: \(left out\)$|data name: \(left out\)$",
        "there would be nothing to read, or nothing to call it by",
    ),
    Rule(
        "refuses",
        "a type that does not fit what lies at the path",
        r"data type: uri_file$",
        "a folder is no `uri_file`: the service lets it in, and the job that reads it fails",
    ),
    Rule(
        "refuses",
        "an environment where a component is needed, a script where a conda file is",
        r"component: environment\.yml$|conda_file: (src/train\.py|\[\])$",
        "the file is another kind of file",
    ),
    Rule(
        "refuses",
        "a step without an environment, an output that is a mere word",
        r"jobs\.s\.environment: \(left out\)$|jobs\.s\.outputs: \{o: text\}$",
        "the SDK's own validation, after its loader, refuses them too",
    ),
    Rule(
        "refuses",
        "a protocol that a datastore's type does not have, an identity that is a mere word",
        r"protocol: ftp$|^registry identity: me$",
        "no address could be made of it",
    ),
    Rule(
        "refuses",
        "a pipeline without steps",
        r"jobs: (\{\}|\(left out\))$",
        "there is nothing to run",
    ),
    Rule(
        "refuses",
        "fields of another type of distribution, services of unknown type",
        r"distribution: \{type: pytorch, worker_count|type: teleport",
        "they would have no effect, and whoever wrote them expects one",
    ),
    # What Penstock does not have yet.
    Rule(
        "refuses",
        "`parent_job_name`, control outputs, `os_type: windows`, hubs",
        r"parent_job_name: |is_control|outputs: \{o: \{type: integer|os_type: windows|^workspace kind: hub$",
        "not supported, and refused by name: the support table has each",
    ),
    Rule(
        "refuses",
        "compute instances and Kubernetes, settings and compute of pipeline components",
        r"compute with (an instance|kubernetes)$|^pipeline-component (settings|compute): ",
        "not supported, and refused by name",
    ),
    Rule(
        "refuses",
        "a data asset made from another one, a model made from a web address, Triton models",
        r"data path: azureml:d:1$|model path: https:|triton_model",
        "not supported, and refused by name",
    ),
)


def page() -> str:
    """The rules as a page of the reference."""
    rows = [
        f"| {rule.topic} | {'accepted' if rule.penstock == 'accepts' else 'refused'} | {rule.reason} |"
        for rule in RULES
    ]
    return "\n".join(
        [
            "# Where Penstock and the Azure ML SDK judge a file differently",
            "",
            "A test gives some 1,600 small files, every kind with good and bad values in every field, to the loaders of",
            "`azure-ai-ml` 1.35.2 and to `penstock validate`, and fails where the two disagree about anything that is not in",
            "this table. What the SDK's loaders let through, the service often refuses when the job is submitted.",
            "",
            "| what | Penstock | why |",
            "|---|---|---|",
            *rows,
            "",
            "This page is written by that test: `PENSTOCK_WRITE_GOLDEN=1 pytest tests/resources/azure_ml`.",
            "",
        ]
    )
