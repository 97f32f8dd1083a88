"""The flags that public projects use with the nouns that exist here, counted in their scripts: all are understood.

A line per command; where a project writes a flag in several ways, each is there. What the cloud needs and a machine does
not (a subscription, a size) is accepted, too.
"""

import shlex

import pytest

from penstock.cli.grammar import parse
from penstock.cli.registry import COMMANDS_NOT_YET, NOT_YET, NOUNS
from penstock.errors import UsageError

SCOPE = "--subscription s --resource-group g --workspace-name w"
USED = f"""
job create --file pipeline.yml {SCOPE} --set compute=azureml:cpu inputs.a.path=azureml:d@latest --query name -o tsv --web
job create -f pipeline.yml -g group --set tags.hello=world --set inputs.number=3 settings.force_rerun=True --stream
job create -f job.yml --skip-validation
job show -n a --query services.Studio.endpoint -o tsv
job show --name a --web --resource-group g --workspace-name w
job stream --name a --workspace-name w --resource-group g
job stream -n a
job list --parent-job-name a --query [].name -o tsv --workspace-name w --resource-group g
job list --query "[?contains(display_name,'simple')]"
job download --name a --download-path ./got --output-name model
job download -n a --all
job update -n a --set display_name=b
job cancel -n a
model show --name a --registry-name r --label latest --query version --output tsv
model show --name a --registry-name r --version 3
model create --name a --path model/ --type mlflow_model --version 1 {SCOPE}
model create -n a -v 1 -p model.pkl --type custom_model
model create -f model.yml --set version=2
model create --file model.yml
model list --name a --registry-name r
model archive -n a --version 1
model archive -n a -v 1
model share --name a --version 1 --share-with-name b --share-with-version 2 --registry-name r
model download --name a --version 1 --download-path here
compute create --name a --type amlcompute --min-instances 0 --max-instances 4 --size STANDARD_DS3_V2 --tier low_priority
compute create -n a --type AmlCompute --idle-time-before-scale-down 120 --output json {SCOPE}
compute create --name a --type amlcompute --identity-type UserAssigned --user-assigned-identities /subscriptions/s/x -o none
compute create -f compute.yml
compute create --file compute.yml
compute show --name a --query provisioning_state {SCOPE} --out tsv
compute show -n a --query identity.principal_id -o tsv
compute list --query "[?name=='a'][name]" --type amlcompute --resource-group g -o tsv
compute update --name a --max-instances 4
compute update -n a --identity-type SystemAssigned
compute update -n a --identity-type UserAssigned --user-assigned-identities /subscriptions/s/x
compute delete --name a --yes --no-wait
compute delete -n a -y
component create --file c.yml --registry-name r --set version=3 --subscription s -o json
component create -f c.yml -n a -v 1
component show --name a --label latest --registry-name r
component show --name a --version 1
component archive -n a
component restore -n a
component list
component update -f c.yml
data create -f d.yml --set version=2
data create --file d.yml --name a --version 1 -o tsv
data create --name a --version 1 --type uri_folder --path ./data --subscription s --resource-group g --workspace w
data update --name a --version 1 --set description=b --remove tags.c
data list --name a --query "[?auto_delete_setting.value=='30d']"
data show -n a -v 1
environment create --file e.yml --name a --resource-group g --workspace-name w --set version=1 -o none
environment create -f e.yml --registry-name r --version 2
environment create --name a --version 1 --build-context ./docker
environment create --name a --image python:3.11 --conda-file conda.yml
environment show --name a --label latest --query version --output tsv
datastore create -f d.yml
datastore create --file d.yml --resource-group g --workspace-name w
datastore show -n workspaceblobstore --query account_name -o tsv
workspace create -n a -l westeurope -g group -m allow_internet_outbound
workspace create --name a --resource-group g --location l --subscription s --tags a=b --no-wait --query id --output tsv
workspace show --name a -g group --query mlflow_tracking_uri -o tsv
workspace show -n a --resource-group g --query container_registry -o tsv
workspace update --subscription s --resource-group g --name a --file w.yml
workspace list --resource-group g --query "[].name" -o tsv
workspace list --subscription s -g group
workspace delete -n a --yes --no-wait --all-resources
registry create --file r.yml --resource-group g --name r
registry list --resource-group g --query "[?name == 'r']"
"""
"""What is counted with them, and belongs to groups or commands that are not here yet: each says so by its name."""
LATER = """
compute attach
compute detach
compute list-sizes
data import
model package
workspace provision-network
workspace outbound-rule
"""
NOUNS_LATER = (
    "batch-deployment",
    "batch-endpoint",
    "connection",
    "online-deployment",
    "online-endpoint",
    "schedule",
)


@pytest.mark.parametrize("line", USED.strip().splitlines())
def test_a_command_line_of_public_projects_is_understood(line: str) -> None:
    """Every flag has its place, and nothing is ambiguous."""
    noun, name, *words = shlex.split(line)

    parse(NOUNS[noun].commands()[name], f"penstock {noun} {name}", words)


@pytest.mark.parametrize("line", USED.strip().splitlines())
def test_every_long_flag_of_them_may_be_cut_short(line: str) -> None:
    """As argparse has it: to the shortest beginning that no other flag of the command has."""
    noun, name, *words = shlex.split(line)
    command = NOUNS[noun].commands()[name]
    whole = parse(command, "penstock", words)

    shortened = parse(command, "penstock", [_shortest(command, word) for word in words])

    assert vars(shortened) == vars(whole)


def _shortest(command: object, word: str) -> str:
    from penstock.cli.grammar import GLOBAL_ARGUMENTS, Command

    assert isinstance(command, Command)
    known = {name for each in (*command.arguments, *GLOBAL_ARGUMENTS) for name in each.names}
    if word not in known or not word.startswith("--"):
        return word
    for length in range(3, len(word)):
        if [name for name in known if name.startswith(word[:length])] == [word]:
            return word[:length]
    return word


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("job download -n a --out x", ("--output", "--output-name")),
        ("compute create -n a --type amlcompute --m 3", ("--min-instances", "--max-instances")),
        ("workspace update --name a --d b", ("--display-name", "--description")),
        ("model share -n a -v 1 --registry-name r --share b", ("--share-with-name", "--share-with-version")),
    ],
)
def test_an_ambiguous_beginning_is_refused_with_the_flags_that_it_could_be(
    line: str, candidates: tuple[str, ...]
) -> None:
    """Never one of them by chance."""
    noun, name, *words = shlex.split(line)

    with pytest.raises(UsageError) as caught:
        parse(NOUNS[noun].commands()[name], "penstock", words)

    assert all(candidate in caught.value.message for candidate in candidates)


def test_a_powershell_spelling_is_answered_with_the_flag() -> None:
    """`-Name` of a PowerShell block: `az` does not take it either."""
    with pytest.raises(UsageError) as caught:
        parse(NOUNS["job"].commands()["show"], "penstock job show", ["-Name", "a"])

    assert "did you mean `--name`?" in str(caught.value.hint)


@pytest.mark.parametrize("line", LATER.strip().splitlines())
def test_what_is_not_here_yet_is_known_by_name(line: str) -> None:
    """So that a script fails with the reason."""
    noun, name = line.split()

    assert name in COMMANDS_NOT_YET[noun] or name in NOUNS[noun].commands()


@pytest.mark.parametrize("noun", NOUNS_LATER)
def test_a_group_that_is_not_here_yet_is_known_by_name(noun: str) -> None:
    """The same for whole groups."""
    assert noun in NOT_YET or noun in NOUNS
