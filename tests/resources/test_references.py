"""References: every form that may stand in a file, and what must not get through."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.resources.references import (
    ArmId,
    AssetReference,
    BadReference,
    DatastorePath,
    JobOutput,
    Reference,
    RunArtifact,
    WebAddress,
    forms_of,
    is_local,
    parse_arm_id,
    parse_reference,
)
from penstock.resources.safe_paths import is_safe_name, unsafe_part
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri

ARM = "/subscriptions/s-1/resourceGroups/g.1/providers/Microsoft.MachineLearningServices/workspaces/w"
DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("azureml:cars:1", "data", AssetReference("cars", version="1")),
        ("azureml:cars@latest", "data", AssetReference("cars", label="latest")),
        ("azureml:cars:1:2", "data", AssetReference("cars", version="1:2")),
        ("azureml:env", "environment", AssetReference("env")),
        ("azureml:m", "model", AssetReference("m")),
        ("azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest", "environment", AssetReference("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", label="latest")),
        ("azureml:cpu-cluster", "compute", AssetReference("cpu-cluster")),
        ("cpu-cluster", "compute", AssetReference("cpu-cluster")),
        ("serverless", "compute", AssetReference("serverless")),
        (f"azureml:{ARM}/computes/cpu", "compute", AssetReference("cpu", workspace="w")),
        (f"{ARM}/environments/e/versions/3", "environment", AssetReference("e", version="3", workspace="w")),
        (f"azureml:{ARM.lower()}/models/m/versions/3", "model", AssetReference("m", version="3", workspace="w")),
        ("azureml://registries/azureml/environments/sklearn-1.5/labels/latest", "environment", AssetReference("sklearn-1.5", label="latest", registry="azureml")),
        ("azureml://registries/r/models/m/versions/7", "model", AssetReference("m", version="7", registry="r")),
        ("azureml://locations/westeurope/workspaces/0-1/data/d/versions/1", "data", AssetReference("d", version="1", workspace="0-1")),
        ("azureml://datastores/ds/paths/a/b.csv", "data", DatastorePath("ds", "a/b.csv")),
        ("azureml://datastores/ds/paths/a//./b/", "output", DatastorePath("ds", "a/b/")),
        ("azureml://datastores/ds/paths/", "data", DatastorePath("ds", "")),
        ("azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/ds/paths/a/", "data", DatastorePath("ds", "a/", "w")),
        ("azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/ds/paths/a", "model", DatastorePath("ds", "a", "w")),
        ("azureml://jobs/j/outputs/model/paths/x/y", "model", JobOutput("j", "model", "x/y")),
        ("azureml://jobs/j/outputs/artifacts/paths/model/", "model", JobOutput("j", "artifacts", "model/")),
        ("azureml://jobs/j/outputs/artifacts/model", "model", JobOutput("j", "artifacts", "model")),
        ("azureml://jobs/j/outputs/default", "data", JobOutput("j", "default", "")),
        ("runs:/abc/model", "model", RunArtifact("abc", "model")),
        ("https://host/x.csv?sig=a%2Fb&x=..#f", "data", WebAddress("https://host/x.csv?sig=a%2Fb&x=..#f")),
        ("azureml:wasbs://c@acc.blob.core.windows.net/x", "data", WebAddress("wasbs://c@acc.blob.core.windows.net/x")),
        ("abfss://fs@acc.dfs.core.windows.net/x", "data", WebAddress("abfss://fs@acc.dfs.core.windows.net/x")),
        (f"snapshot://{DIGEST}/src/", "data", SnapshotUri(DIGEST, "src", True)),
    ],
)  # fmt: skip
def test_every_form_of_a_reference_is_read(text: str, kind: str, expected: Reference) -> None:
    """The forms of the reference table, one by one."""
    assert parse_reference(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("azureml:cars", "data", "names no version"),
        ("azureml:", "environment", "no valid asset name"),
        ("azureml:a b:1", "data", "no valid asset name"),
        ("azureml:a:", "data", "no valid version"),
        ("azureml:a:../b", "data", "no valid version"),
        ("azureml:a@", "data", "no valid label name"),
        ("azureml:cpu:1", "compute", "a compute has none"),
        ("azureml:a:1", "output", "an output needs a place"),
        ("sklearn", "environment", "is not a reference"),
        ("./data", "data", "is not a reference"),
        ("", "data", "is empty"),
        ("ftp://x/y", "data", "has a scheme that cannot be used here"),
        ("s3://bucket/x", "data", "has a scheme that cannot be used here"),
        ("file:///etc/passwd", "data", "has a scheme that cannot be used here"),
        ("azureml://nothing/x", "data", "means nothing"),
        ("azureml://datastores/ds", "data", "names no path"),
        ("azureml://datastores/ds/x/y", "data", "names no path"),
        ("azureml://jobs/j", "data", "names no output"),
        ("azureml://datastores/ds/paths/x", "environment", "an environment cannot be there"),
        (
            "azureml://registries/r/models/m/versions/1",
            "environment",
            "where one of `environments` is needed",
        ),
        ("azureml://registries/r/environments/e/versions/1/x", "environment", "holds too much"),
        ("azureml:/subscriptions/s/x", "model", "not a complete id"),
        ("runs:/abc/model", "data", "only a model can be made of"),
        ("runs:/abc", "model", "names no artifact"),
        ("https://user:secret@host/x", "data", "holds a user or password"),
        ("https://host/a b", "data", "holds blanks"),
        ("https://host\\@evil/", "data", "holds blanks, backslashes"),
        ("snapshot://abc/x", "data", "is no snapshot"),
        ("azureml:" + "a" * 9000 + ":1", "data", "is longer than"),
    ],
)
def test_what_is_no_reference_is_refused_with_the_forms_that_are(text: str, kind: str, message: str) -> None:
    """The message says what is wrong, and `expected` what may stand there."""
    with pytest.raises(BadReference) as caught:
        parse_reference(text, kind)

    assert message in caught.value.message
    assert caught.value.expected
    assert len(caught.value.message) < 500


@given(
    st.text(max_size=80),
    st.sampled_from(["environment", "data", "model", "compute", "output", "component", "job"]),
)
def test_any_text_is_a_reference_or_is_refused(text: str, kind: str) -> None:
    """Nothing but BadReference comes out of the reader, whatever goes in."""
    for written in (text, f"azureml:{text}", f"azureml://{text}", f"azureml://datastores/d/paths/{text}"):
        message = ""
        try:
            parse_reference(written, kind)
        except BadReference as error:
            message = error.message
        assert message.isprintable()


# Traversal ----------------------------------------------------------------------------------------------------------

TRAVERSALS = [
    "../secret",
    "a/../../secret",
    "a/..",
    "..",
    "../",
    "/etc/passwd",
    "//etc/passwd",
    "%2e%2e/secret",
    "%2E%2E%2Fsecret",
    "..%2fsecret",
    "..%5csecret",
    "%252e%252e%252fsecret",
    "%25252e%25252e/secret",
    "%c0%ae%c0%ae/secret",
    "..\\secret",
    "a\\..\\..\\secret",
    "a/..\\../secret",
    "C:/Windows",
    "c:",
    "C:\\Windows",
    "\\\\server\\share",
    "a\x00b",
    "a%00b",
    "a\nb",
    "．．/secret",  # full-width dots
    "‥/secret",  # two dot leader
    "․․/secret",  # one dot leaders
    "a/．．／．．／secret",  # full-width slashes too
    "a/%ef%bc%8e%ef%bc%8e/secret",
    "a#/../../secret",
    "a?x=/../../secret",
    "a" * 300,
    "/".join(["a" * 200] * 30),
]
PLACES = [
    ("azureml://datastores/ds/paths/{}", "data"),
    ("azureml://datastores/ds/paths/{}", "output"),
    ("azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/ds/paths/{}", "model"),
    ("azureml://jobs/j/outputs/o/paths/{}", "data"),
    ("azureml://jobs/j/outputs/artifacts/{}", "model"),
    ("runs:/r/{}", "model"),
]
NAMES = [
    ("azureml:{}:1", "data"),
    ("azureml:x:{}", "data"),
    ("azureml:x@{}", "environment"),
    ("azureml:{}", "compute"),
    ("azureml://datastores/{}/paths/x", "data"),
    ("azureml://jobs/{}/outputs/o/paths/x", "data"),
    ("azureml://jobs/j/outputs/{}/paths/x", "data"),
    ("azureml://registries/{}/models/m/versions/1", "model"),
    ("azureml://registries/r/models/{}/versions/1", "model"),
    ("azureml://registries/r/models/m/versions/{}", "model"),
    ("runs:/{}/model", "model"),
    (f"azureml:{ARM}/models/{{}}/versions/1", "model"),
]


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize(("form", "kind"), PLACES)
def test_reliability_01_no_path_of_a_reference_leads_out_of_its_place(
    form: str, kind: str, path: str
) -> None:
    """Every way to write `..`, absolute paths, drives, NUL and over-long parts are refused where a path stands."""
    with pytest.raises(BadReference):
        parse_reference(form.format(path), kind)


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize(("form", "kind"), NAMES)
def test_reliability_01_no_name_of_a_reference_is_a_path(form: str, kind: str, path: str) -> None:
    """Where a name stands, whatever is read has no separator and is not a dot."""
    try:
        reference = parse_reference(form.format(path), kind)
    except BadReference:
        return
    names = ("name", "version", "label", "registry", "workspace", "datastore", "job", "output", "run")
    for part in (getattr(reference, name, None) for name in names):
        assert part is None or (
            part not in ("", ".", "..") and part.isascii() and not set(part) & set("/\\%\0\n")
        )


@given(
    st.lists(
        st.sampled_from(
            ["..", ".", "a", "%2e", "%2f", "%25", "/", "\\", "\0", "．", "／", "#", "?", "C:", " "]
        ),
        max_size=8,
    ),
    st.sampled_from(PLACES),
)
def test_reliability_01_a_path_that_is_read_stays_below_any_root(
    pieces: list[str], place: tuple[str, str]
) -> None:
    """Whatever gets through leads below the root: as it stands, decoded once, and decoded twice."""
    from urllib.parse import unquote

    form, kind = place
    try:
        reference = parse_reference(form.format("".join(pieces)), kind)
    except BadReference:
        return
    assert isinstance(reference, DatastorePath | JobOutput | RunArtifact)
    root = Path("/srv/root")
    for text in (reference.path, unquote(reference.path), unquote(unquote(reference.path))):
        assert "\0" not in text
        assert ".." not in text.replace("\\", "/").split("/")
        assert (root / text).is_relative_to(root)


@pytest.mark.parametrize("name", [*TRAVERSALS, "", ".", "a/b"])
def test_reliability_01_no_snapshot_uri_names_a_path(name: str) -> None:
    """A snapshot's name becomes a file name on the server: raw or encoded, it is one plain part or it is refused."""
    for written in (name, quote(name, safe=""), quote(quote(name, safe=""), safe="")):
        snapshot = parse_snapshot_uri(f"snapshot://{DIGEST}/{written}")
        assert snapshot is None or is_safe_name(snapshot.name)
        if snapshot is not None:
            assert snapshot.name not in (".", "..")
            assert Path("/srv", snapshot.name).parent == Path("/srv")


@given(st.text(min_size=1, max_size=40))
def test_reliability_01_a_safe_name_has_exactly_one_uri(name: str) -> None:
    """Every name that is allowed comes back from its URI; every other is refused."""
    if is_safe_name(name):
        uri = SnapshotUri(DIGEST, name, True)
        assert parse_snapshot_uri(str(uri)) == uri
    else:
        assert unsafe_part(name) is not None or "/" in name


# The rest -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("./src", True),
        ("src", True),
        ("/abs/x", True),
        ("../x", True),
        ("file:./x", True),
        ("data:x", True),
        ("", False),
        ("azureml:x:1", False),
        ("azureml://datastores/x/paths/y", False),
        ("https://x/y", False),
        ("wasbs://c@a/x", False),
        ("runs:/a/b", False),
        ("git+https://github.com/a/b", False),
        ("s3://b/k", False),
        ("${{parent.inputs.x}}", False),
        ("./${{inputs.x}}", False),
        (f"{ARM}/codes/c/versions/1", False),
        (f"snapshot://{DIGEST}/src/", False),
    ],
)
def test_a_local_path_is_what_has_no_scheme_and_no_expression(text: str, local: bool) -> None:
    """What a person means as a path on their machine, and nothing else."""
    assert is_local(text) is local


def test_a_long_id_has_all_its_parts() -> None:
    """`parse_arm_id` gives what `parse_reference` leaves out."""
    assert parse_arm_id(f"azureml:{ARM}/environments/e/versions/2") == ArmId(
        "s-1", "g.1", "w", "environments", "e", "2"
    )
    assert parse_arm_id("azureml:e:2") is None


def test_references_print_as_they_are_written_in_files() -> None:
    """Messages name a reference in its short form."""
    for text, kind in [
        ("azureml:a:1", "data"),
        ("azureml:a@latest", "data"),
        ("azureml://datastores/ds/paths/x", "data"),
        ("azureml://jobs/j/outputs/o/paths/x", "data"),
        ("runs:/r/x", "model"),
        ("https://h/x", "data"),
    ]:
        assert str(parse_reference(text, kind)) == text


def test_the_forms_of_a_kind_name_what_it_takes() -> None:
    """What is expected differs from place to place."""
    assert "runs:/" in forms_of("model")
    assert "runs:/" not in forms_of("data")
    assert forms_of("compute") == "azureml:<compute name>"
    assert "datastores" not in forms_of("environment")
