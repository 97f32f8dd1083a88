"""What `az` answers by itself: the shapes that scripts read, and what is remembered."""

import json
import re
from pathlib import Path

import pytest

from penstock.cli import main, program
from penstock.settings import Home
from penstock.subscription import MADE_UP
from tests.az.conftest import Az
from tests.cli.conftest import Ran
from tests.client.fake_server import FakeServer

GUID = "11111111-2222-3333-4444-555555555555"


def record(ran: Ran) -> object:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_an_account_has_the_keys_of_az(az: Az) -> None:
    """Before anybody logged in there is one: scripts build ids from it."""
    shown = record(az("account show"))

    assert isinstance(shown, dict)
    assert sorted(shown) == [
        "environmentName", "homeTenantId", "id", "isDefault", "managedByTenants", "name", "state", "tenantId", "user",
    ]  # fmt: skip
    assert sorted(shown["user"]) == ["name", "type"]
    assert (shown["state"], shown["isDefault"], shown["environmentName"]) == ("Enabled", True, "AzureCloud")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", shown["id"])
    assert az("account show -o tsv --query id").out == f"{shown['id']}\n"


def test_a_subscription_is_set_by_id_or_name(az: Az) -> None:
    """A name stands for the same id every time; the made-up one is gone once another is there."""
    assert az(f"account set --subscription {GUID}").out == ""
    assert az("account show --query id -o tsv").out == f"{GUID}\n"
    assert az("account set -n 'The team'").code == 0
    first = az("account show --query [id,name] -o tsv").out
    az(f"account set -s {GUID.upper()}")
    az("account set -s 'the TEAM'")

    assert az("account show --query [id,name] -o tsv").out == first
    assert "The team" in first
    rows = record(az("account list --query '[].{id:id,isDefault:isDefault,cloud:cloudName}'"))
    assert isinstance(rows, list)
    assert sorted(rows, key=lambda row: row["id"] == GUID) == [
        {"id": first.split()[0], "isDefault": True, "cloud": "AzureCloud"},
        {"id": GUID, "isDefault": False, "cloud": "AzureCloud"},
    ]
    assert az("account set -s ''").code == 1
    assert "'team\\r'" in az("account set -s 'team\r'").err  # of a file with line ends of Windows
    assert az("account set").code == 2
    assert az("account show --query [id,name] -o tsv").out == first


@pytest.mark.parametrize(
    "account",
    [{"subscription": 5, "names": [1], "user": "x"}, {"names": {"a": None}, "user": None}, {"tenant": []}],
)
def test_an_account_that_was_changed_by_hand_is_read_as_far_as_it_goes(
    az: Az, home: Home, fake: FakeServer, account: dict[str, object]
) -> None:
    """It is no fault of ours; setting a subscription mends it."""
    fake.on("GET", "/api/v1/workspaces", [])
    fake.on("GET", "/api/v1/registries", [])
    home.config.write_text(json.dumps({"account": account, "groups": {"g": 3}}))

    assert az("account show --query id -o tsv").out == f"{MADE_UP}\n"
    assert az("group list --query [].name -o tsv").out == "g\n"
    assert az("account set -s team").code == 0
    assert az("account show --query [name,tenantId] -o tsv").out == f"team\n{MADE_UP}\n"


def test_any_subscription_that_is_asked_for_is_shown(az: Az) -> None:
    """`az account show --subscription X` is how scripts make sure of their access. It changes nothing."""
    shown = record(az(f"account show --subscription {GUID}"))

    assert isinstance(shown, dict)
    assert (shown["id"], shown["isDefault"]) == (GUID, False)
    assert len(record(az("account list"))) == 1  # type: ignore[arg-type]


def test_the_ids_that_are_made_here_name_the_subscription(az: Az, fake: FakeServer) -> None:
    """Of groups, providers and regions; those of `az ml` are the server's, see `tests/server/test_subscription.py`."""
    fake.on("GET", "/api/v1/workspaces", [workspace("w", "g")])
    fake.on("GET", "/api/v1/registries", [])
    lines = (
        "group create -n mine -l x --query id -o tsv", "group show -n mine --query id -o tsv", "group show -n g --query id -o tsv",
        "provider show -n Microsoft.Batch --query id -o tsv", "account list-locations --query [0].id -o tsv",
    )  # fmt: skip

    assert all(az(line).out.startswith(f"/subscriptions/{MADE_UP}/") for line in lines)
    az(f"account set -s {GUID}")
    assert all(az(line).out.startswith(f"/subscriptions/{GUID}/") for line in lines)


@pytest.mark.parametrize(
    ("line", "user"),
    [
        ("login --service-principal -u app -p s3cr3t-value --tenant contoso", {"name": "app", "type": "servicePrincipal"}),
        ("login --service-principal -u app --federated-token s3cr3t-value -t t", {"name": "app", "type": "servicePrincipal"}),
        ("login --service-principal -u app --password=s3cr3t-value --tenant t --allow-no-sub", {"name": "app", "type": "servicePrincipal"}),
        ("login -u someone@example.org -p s3cr3t-value", {"name": "someone@example.org", "type": "user"}),
        ("login --identity", {"assignedIdentityInfo": "MSI", "name": "systemAssignedIdentity", "type": "servicePrincipal"}),
        (
            "login --identity --client-id c",
            {"assignedIdentityInfo": "MSIClient-c", "name": "userAssignedIdentity", "type": "servicePrincipal"},
        ),
    ],
)  # fmt: skip
def test_a_login_answers_with_the_subscriptions(az: Az, home: Home, line: str, user: dict[str, str]) -> None:
    """Who logged in is remembered; a secret is neither kept nor printed."""
    ran = az(line)

    rows = record(ran)
    assert isinstance(rows, list)
    assert [row["user"] for row in rows] == [user]
    assert sorted(rows[0]) == [
        "cloudName", "homeTenantId", "id", "isDefault", "managedByTenants", "name", "state", "tenantId", "user",
    ]  # fmt: skip
    assert record(az("account show --query user")) == user
    assert "s3cr3t-value" not in ran.out + ran.err
    assert not [path for path in home.path.rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()]


def test_the_login_of_a_workflow_passes(az: Az) -> None:
    """What the login actions and tasks of GitHub and Azure Pipelines call, in their order and spelling."""
    for line in (
        "version",
        "cloud set -n azurecloud",
        f"login --service-principal --username app --tenant {GUID} --password=s3cr3t --allow-no-subscriptions",
        f"login --service-principal --username app --tenant {GUID} --federated-token s3cr3t",
        "login --identity --username app",
        "--version",
        "cloud set -n AzureCloud",
        f'login --service-principal -u "app" --tenant "{GUID}" --allow-no-subscriptions --federated-token "s3cr3t" --output none',
        f'login --service-principal -u "app" --certificate="s3cr3t" --tenant "{GUID}" --allow-no-subscriptions --output none',
        "login --identity --client-id app --allow-no-subscriptions",
        "login --identity --output none",
        f"account set --subscription {GUID}",
        "account show --query id -o tsv",
        "account clear",
        "cloud set -n AzureCloud",
    ):
        ran = az(line)
        assert ran.code == 0, line
        assert "s3cr3t" not in ran.out + ran.err


def test_a_login_of_a_person_asks_nothing(az: Az) -> None:
    """No browser, no code to type, no waiting; the tenant and subscription that are named are remembered."""
    for line in (
        "login",
        "login --use-device-code",
        "login --tenant contoso.example --subscription team -o none",
    ):
        assert az(line).code == 0

    assert az("account show --query name -o tsv").out == "team\n"
    assert az("account show --query user.type -o tsv").out == "user\n"
    tenant = az("account show --query tenantId -o tsv").out
    az("login --tenant CONTOSO.example")
    assert az("account show --query tenantId -o tsv").out == tenant


def test_a_login_that_is_not_understood_repeats_no_secret(az: Az) -> None:
    """Whichever flag was forgotten or mistyped."""
    for line in (
        "login --service-principal -u app -p --tenant t s3cr3t",
        "login --service-principal -u app s3cr3t --tenant t",
        "login --service-principal -u app --pasword s3cr3t --tenant t",
        "login --service-principal -u app --pasword=s3cr3t --tenant t",
        "login --service-principal -p s3cr3t --debug",
        "login -o s3cr3t",
        "acr login -n x s3cr3t",
    ):
        ran = az(line)

        assert ran.code == 2, line
        assert "s3cr3t" not in ran.out + ran.err, line


def test_a_logout_forgets_who_it_was_and_leaves_an_account(az: Az) -> None:
    """The next script, which logs in nowhere, still finds one."""
    az("login --service-principal -u app -p x --tenant t --subscription team")

    assert az("logout").out == ""
    assert az("account show --query [name,user.type] -o tsv").out.split() == ["team", "user"]
    assert az("account clear").code == 0
    assert az("account show --query name -o tsv").out == "Penstock\n"


def test_a_token_is_for_nobody_but_penstock(az: Az, fake: FakeServer) -> None:
    """Whoever makes sure of a login is answered; a token of the cloud is refused, and ours goes to our own address alone."""
    fake.on(
        "POST",
        "/api/v1/workspaces/default/tokens",
        {"token": "t0ken", "expires_at": "2030-01-01T00:00:00.000000+00:00", "mlflow_tracking_uri": "http://127.0.0.1:4321/w"},
        201,
    )  # fmt: skip

    assert az("account get-access-token --scope https://ml.azure.com/.default --output none") == Ran(
        0, "", ""
    )
    assert az("account get-access-token --query tenant -o tsv").code == 0
    for line in ("", "--resource https://management.azure.com --query accessToken -o tsv", "-o json"):
        ran = az(f"account get-access-token {line}")
        assert (ran.code, ran.out) == (1, "")
        assert "`penstock env` prints a token" in ran.err
    own = record(az("account get-access-token --resource http://localhost:4321"))
    assert isinstance(own, dict)
    assert sorted(own) == ["accessToken", "expiresOn", "expires_on", "subscription", "tenant", "tokenType"]
    ran = az("account get-access-token --resource http://127.0.0.1:9999")
    assert (ran.code, ran.out) == (1, "")
    assert "t0ken" not in ran.err


def test_the_extension_ml_is_there(az: Az) -> None:
    """However a script installs, updates or looks for it."""
    for line in (
        "add -n ml", "add -n ml -y", "add --name ml --yes --upgrade", "add -n ml --version 2.10.0", "add -n ml --allow-preview true",
        "add --source https://example.org/ml-2.0.0-py3-none-any.whl -y", "update -n ml", "update --name ml", "remove -n ml",
        "remove -n azure-cli-ml",
    ):  # fmt: skip
        ran = az(f"extension {line}")
        assert (ran.code, ran.out) == (0, ""), line
        assert ran.err != "" or "--upgrade" in line
    (row,) = record(az("extension list"))  # type: ignore[misc]
    assert sorted(row) == ["experimental", "extensionType", "name", "path", "preview", "version"]
    version = az("extension show -n ml --query version -o tsv").out
    assert az("extension list --query \"[?name=='ml'].version\" -o tsv").out == version
    assert az("version --query extensions.ml -o tsv").out == version
    assert az("extension show -n other").code == 3
    assert az("extension add").code == 2


def test_flags_may_be_shortened(az: Az) -> None:
    """To any beginning that means one flag, as argparse has it and scripts use it."""
    assert az("account set --sub team").code == 0
    assert az("account show --out tsv --que name").out == "team\n"
    assert az("extension add --na ml --up").code == 0
    assert az("login --service -u app --pass x --ten t --allow-no").code == 0
    assert az("configure --def group=g").code == 0
    assert az("configure --list --outp tsv --query [].value").out == "g\n"
    assert az("login --c x").code == 2  # --certificate, --client-id, --claims-challenge


def test_a_value_may_stand_in_a_file_but_a_secret_is_left_there(az: Az, tmp_path: Path) -> None:
    """`@FILE`, as `az` has it. What is handed on or refused gets the word as it is."""
    (tmp_path / "name.txt").write_text("The team\n")

    assert az(f"account set --subscription @{tmp_path}/name.txt").code == 0
    assert az("account show --query name -o tsv").out == "The team\n"
    assert az(f"config set defaults.workspace=@{tmp_path}/name.txt").code == 0
    assert az("config get defaults.workspace --query value -o tsv").out == "The team\n"
    assert (
        az(f"login --service-principal -u @{tmp_path}/name.txt -p @{tmp_path}/name.txt --tenant t").code == 0
    )
    assert az("account show --query user.name -o tsv").out == f"@{tmp_path}/name.txt\n"
    assert "The team" not in az(f"vm @{tmp_path}/name.txt").err


def test_values_may_be_stripped_of_line_ends(az: Az) -> None:
    """As scripts do that run on Windows too."""
    identity = az("account show -o tsv --query id").out

    assert identity.replace('"', "").replace("\r", "") == identity
    assert identity.count("\n") == 1


@pytest.mark.parametrize("name", ["azure-cli-ml", "azure-devops"])
def test_another_extension_is_refused_by_name(az: Az, name: str) -> None:
    """Of the first generation of `ml`, the message names the second."""
    ran = az(f"extension add -n {name} -y")

    assert ran.code == 1
    wheel = az(
        f"extension add -s https://example.org/{name.replace('-', '_')}-0.1.50-py2.py3-none-any.whl -y"
    )
    assert wheel.err == ran.err
    assert f"`az extension add -n {name}` is not served by Penstock: nothing was done" in ran.err


def test_versions_have_the_keys_of_az(az: Az) -> None:
    """`az version` as a record, `az --version` as lines."""
    found = record(az("version"))

    assert isinstance(found, dict)
    assert {"azure-cli", "azure-cli-core", "azure-cli-telemetry", "extensions"} <= set(found)
    assert list(found["extensions"]) == ["ml"]
    text = az("--version").out
    assert re.search(rf"^azure-cli +{re.escape(found['azure-cli'])}$", text, re.MULTILINE)
    assert re.search(rf"^ml +{re.escape(found['extensions']['ml'])}$", text, re.MULTILINE)
    assert az("-v").out == text


def test_defaults_are_those_of_penstock(az: Az, fake: FakeServer) -> None:
    """However they are set: `az configure`, `az config`; `az ml` uses them."""
    fake.on("GET", "/api/v1/workspaces/taxi/jobs", [])

    assert az("configure --defaults group=g workspace=taxi location=l") == Ran(0, "", "")
    assert az("ml job list -o tsv").code == 0
    assert az("config get defaults.workspace --query value -o tsv").out == "taxi\n"
    assert az("config get --query \"defaults[?name=='group'].value\" -o tsv").out == "g\n"
    assert (
        az(
            "config set defaults.workspace=other core.output=tsv extension.use_dynamic_install=yes_without_prompt"
        ).code
        == 0
    )
    assert az("configure --list-defaults --query \"[?name=='workspace'].value\"").out == "other\n"
    assert az("config get extension --query [0].value").out == "yes_without_prompt\n"
    az("config unset core.output defaults.workspace extension.use_dynamic_install")
    assert list(record(az("config get"))) == ["defaults"]  # type: ignore[call-overload]
    assert record(az("configure -l --query [].name")) == ["group", "location"]
    assert az("config get defaults.workspace").code == 1
    for line in ("set", "set nothing", "set core.output=xml", "unset"):
        assert az(f"config {line}").code == 2


def test_variables_of_az_count_before_what_is_kept(
    az: Az, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And flags before both. They are for `az`: `penstock` has its own."""
    for name in ("kept", "said", "ours"):
        fake.on("GET", f"/api/v1/workspaces/{name}", {"name": name})
    az("configure --defaults workspace=kept group=g")
    monkeypatch.setenv("AZURE_DEFAULTS_WORKSPACE", "said")
    monkeypatch.setenv("AZURE_DEFAULTS_GROUP", "of-variable")
    monkeypatch.setenv("AZURE_CORE_OUTPUT", "TSV")

    assert az("ml workspace show --query name").out == "said\n"
    assert az("ml workspace show --query name -w kept -o json").out == '"kept"\n'
    assert az("configure -l --query [].value").out == "g\nkept\n"
    assert az("config get defaults.workspace --query value").out == "kept\n"
    monkeypatch.setenv("PENSTOCK_WORKSPACE", "ours")
    assert az("ml workspace show --query name").out == "ours\n"
    monkeypatch.delenv("PENSTOCK_WORKSPACE")
    program.speak_as_penstock()
    assert main.run(["workspace", "show", "--query", "name"]) == 0
    assert capsys.readouterr().out == '"kept"\n'
    monkeypatch.setenv("AZURE_CORE_OUTPUT", "paper")
    wrong = az("account show")
    assert (wrong.code, wrong.out) == (2, "")
    assert "AZURE_CORE_OUTPUT is `paper`, which is not one of" in wrong.err


def test_a_resource_group_is_a_name(az: Az, fake: FakeServer) -> None:
    """Created by a script, or that of a workspace; one with something in it is not deleted."""
    fake.on("GET", "/api/v1/workspaces", [workspace("w", "Team")])
    fake.on("GET", "/api/v1/registries", [])

    assert az("group exists -n mine").out == "false\n"
    made = record(az("group create --name mine --location westeurope --tags a=1"))
    assert isinstance(made, dict)
    assert sorted(made) == ["id", "location", "managedBy", "name", "properties", "tags", "type"]
    assert (made["properties"], made["tags"]) == ({"provisioningState": "Succeeded"}, {"a": "1"})
    assert az("group exists -g MINE").out == "true\n"
    assert az('group list --query "[].name" -o tsv').out == "mine\nTeam\n"
    assert az("group list --tag a=1 --query '[].name' -o tsv").out == "mine\n"
    assert az("group show -n team --query location -o tsv").out == "here\n"
    missing = az("group show -n nothing")
    assert (missing.code, missing.out) == (3, "")
    assert "there are: mine, Team" in missing.err
    full = az("group delete -n team --yes --no-wait")
    assert full.code == 1
    assert "workspaces `w`" in full.err
    assert az("group delete -n mine --yes").code == 0
    assert az("group exists -n mine").out == "false\n"
    az("configure -d group=team")
    assert az("group show --query name -o tsv").out == "Team\n"
    assert az("group delete --yes").code == 2


def workspace(name: str, group: str) -> dict[str, object]:
    return {
        "name": name, "location": "here", "resource_group": group, "tags": {"k": "v"},
        "id": f"/subscriptions/{MADE_UP}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{name}",
    }  # fmt: skip


def test_workspaces_and_registries_are_resources(az: Az, fake: FakeServer) -> None:
    """Listed by group, type, name and tag; shown by name or id."""
    fake.on("GET", "/api/v1/workspaces", [workspace("w", "g"), workspace("v", "h")])
    fake.on("GET", "/api/v1/registries", [{**workspace("r", "g"), "tags": {}}])
    names = "--query [].name -o tsv"

    assert az(f"resource list {names}").out == "w\nv\nr\n"
    assert az(f"resource list -g G {names}").out == "w\nr\n"
    assert (
        az(f"resource list --resource-type Microsoft.MachineLearningServices/workspaces {names}").out
        == "w\nv\n"
    )
    assert az(f"resource list -n v --tag k=v {names}").out == "v\n"
    shown = record(az("resource show -g g -n w --resource-type workspaces"))
    assert isinstance(shown, dict)
    assert (shown["type"], shown["resourceGroup"]) == ("Microsoft.MachineLearningServices/workspaces", "g")
    identity = az("resource show -g g -n w --query id -o tsv").out.strip()
    assert az(f"resource show --ids {identity.upper()} --query name -o tsv").out == "w\n"
    assert "has the id /nothing" in az(f"resource show --ids {identity} /nothing").err
    assert az("resource show -n nothing").code == 3
    assert az("resource show").code == 2


def test_what_needs_nothing_here_is_answered(az: Az) -> None:
    """Providers, registries of images, clouds, regions."""
    assert az("provider register --namespace Microsoft.MachineLearningServices --wait").code == 0
    assert az("provider show -n Microsoft.Storage --query registrationState -o tsv").out == "Registered\n"
    assert az("provider list --query [0].registrationState -o tsv").out == "Registered\n"
    assert az("acr login --name x").out == ""
    assert az("acr login --name x --expose-token").code == 1
    assert az("cloud show --query name -o tsv").out == "AzureCloud\n"
    assert az("cloud set -n azureusgovernment").code == 0
    assert az('cloud list --query "[?isActive].name" -o tsv').out == "AzureUSGovernment\n"
    assert az("account show --query environmentName -o tsv").out == "AzureUSGovernment\n"
    assert az("cloud set -n Elsewhere").code == 3
    assert "westeurope\n" in az('account list-locations --query "[].name" -o tsv').out


def test_talk_is_quiet_when_asked(az: Az) -> None:
    """`--only-show-errors` leaves errors."""
    assert az("extension add -n ml --only-show-errors").err == ""
    assert az("login --only-show-errors -o none") == Ran(0, "", "")
    assert az("--only-show-errors extension update -n ml").err == ""


def test_two_that_write_at_once_lose_nothing(az: Az, home: Home) -> None:
    """The defaults and the account lie in one file; each change keeps what others wrote."""
    from concurrent.futures import ThreadPoolExecutor

    from penstock.az import subscriptions
    from penstock.cli import defaults

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: defaults.change(home, {f"d{n}": "x"}), range(20)))
        list(pool.map(lambda n: subscriptions.select(home, f"s{n}"), range(20)))

    assert len(defaults.read(home)) == 20
    assert len(subscriptions.read(home).names) == 20
    assert sorted(path.name for path in home.path.iterdir()) == ["config.json", "config.lock"]


def test_a_home_that_cannot_be_written_to_still_answers(
    az: Az, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is read is read; what would have to be remembered is an error that names the file."""
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("PENSTOCK_HOME", str(file / "home"))

    assert az("account show").code == 0
    assert az("extension add -n ml").code == 0
    ran = az("account set -s x")
    assert ran.code == 1
    assert str(file / "home" / "config.json") in ran.err
