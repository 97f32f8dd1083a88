"""What the user told conda decides where packages come from: names, mirrors, priorities, credentials."""

from pathlib import Path

import pytest

from penstock.environments.conda_packages.channels import (
    Channel,
    CondaConfiguration,
    plain,
    read_configuration,
    with_credentials,
)
from penstock.environments.credentials import without_credentials
from penstock.errors import PenstockError


def configured(tmp_path: Path, text: str, **variables: str) -> CondaConfiguration:
    """A home whose `.condarc` says this."""
    (tmp_path / ".condarc").write_text(text)
    return read_configuration({"HOME": str(tmp_path), **variables})


def addresses(configuration: CondaConfiguration, *names: str) -> list[str]:
    """The channels of a file that names these."""
    return [channel.url for channel in configuration.in_order(names)]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("conda-forge", "https://conda.anaconda.org/conda-forge"),
        ("conda-forge/linux-64", "https://conda.anaconda.org/conda-forge"),
        ("conda-forge/label/dev", "https://conda.anaconda.org/conda-forge/label/dev"),
        ("https://host/channel/noarch/", "https://host/channel"),
        ("https://host/channel/", "https://host/channel"),
        ("file:///srv/channel", "file:///srv/channel"),
        ("/srv/a channel", "file:///srv/a%20channel"),
    ],
)
def test_a_channel_is_a_name_an_address_or_a_folder(name: str, address: str) -> None:
    """A platform behind it is another word for the same channel."""
    assert addresses(CondaConfiguration(), name, "nodefaults") == [address]


def test_defaults_are_asked_where_somebody_says_so_or_nobody_says_anything() -> None:
    """Their terms are the user's decision."""
    main, r = "https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"

    assert addresses(CondaConfiguration()) == [main, r]
    assert addresses(CondaConfiguration(), "conda-forge", "defaults")[1:] == [main, r]
    assert len(addresses(CondaConfiguration(), "conda-forge")) == 1


def test_the_users_own_channels_come_after_the_files_unless_it_says_nodefaults(tmp_path: Path) -> None:
    """As `conda env create` has it; none is asked twice."""
    configuration = configured(tmp_path, "channels: [ours, conda-forge]\nchannel_alias: https://mirror\n")

    assert addresses(configuration, "conda-forge") == ["https://mirror/conda-forge", "https://mirror/ours"]
    assert addresses(configuration, "conda-forge", "nodefaults") == ["https://mirror/conda-forge"]
    assert addresses(configuration) == ["https://mirror/ours", "https://mirror/conda-forge"]


def test_mirrors_are_read_from_the_file_with_their_passwords_from_variables(tmp_path: Path) -> None:
    """That is how passwords stay out of files."""
    text = """
channel_alias: https://alice:${WORD}@mirror.example/conda
default_channels: [https://mirror.example/main]
custom_channels: {team: "https://team.example/channels"}
custom_multichannels: {all: [team/a, conda-forge]}
channel_priority: strict
ssl_verify: /etc/certificate.pem
proxy_servers: {https: "http://proxy.example:3128"}
pkgs_dirs: [/srv/pkgs]
"""
    configuration = configured(tmp_path, text, WORD="secret")

    assert addresses(configuration, "conda-forge") == [
        "https://alice:secret@mirror.example/conda/conda-forge"
    ]
    assert addresses(configuration, "defaults") == ["https://mirror.example/main"]
    assert addresses(configuration, "team/a") == ["https://team.example/channels/team/a"]
    assert len(addresses(configuration, "all")) == 2
    assert (configuration.channel_priority, configuration.ssl_verify) == ("strict", "/etc/certificate.pem")
    assert (configuration.proxy_servers, configuration.pkgs_dirs) == (
        {"https": "http://proxy.example:3128"},
        ("/srv/pkgs",),
    )
    assert "secret" not in repr(configuration)
    assert "secret" not in repr(configuration.in_order(["conda-forge"]))


def test_variables_count_before_files_and_nearer_files_before_farther_ones(tmp_path: Path) -> None:
    """Lists are put together, the nearer one's first."""
    folder = tmp_path / ".conda" / "condarc.d"
    folder.mkdir(parents=True)
    (folder / "far.yml").write_text("channels: [far]\nchannel_alias: https://far\nchannel_priority: false\n")
    (tmp_path / "named.yml").write_text("channels: [named]\n")

    configuration = configured(
        tmp_path,
        "channels: [near]\nchannel_alias: https://near\n",
        CONDARC=str(tmp_path / "named.yml"),
        CONDA_CHANNEL_ALIAS="https://variable",
        CONDA_CHANNELS="first,second",
        CONDA_OFFLINE="true",
        CONDA_SSL_VERIFY="false",
    )

    assert configuration.channels == ("first", "second", "named", "near", "far")
    assert configuration.channel_alias == "https://variable"
    assert (configuration.channel_priority, configuration.offline, configuration.ssl_verify) == (
        "disabled",
        True,
        False,
    )


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    """A mirror that is silently not used would be a leak."""
    with pytest.raises(PenstockError, match=r"\.condarc"):
        configured(tmp_path, "channels: [a\n")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://alice:word@host:8080/c/linux-64/x.conda", "https://host:8080/c/linux-64/x.conda"),
        ("https://host/t/tk-1234-abcd/c/noarch/x.tar.bz2", "https://host/c/noarch/x.tar.bz2"),
        ("file:///srv/c/noarch/x.conda", "file:///srv/c/noarch/x.conda"),
    ],
)
def test_an_address_is_kept_without_its_credentials_and_asked_with_them(url: str, shown: str) -> None:
    """Whatever they are today."""
    channel = Channel(url.rsplit("/", 2)[0])

    assert plain(url) == shown
    assert with_credentials(shown, [Channel("https://elsewhere/c"), channel]) == url
    assert "word" not in without_credentials(url)
    assert "tk-1234" not in without_credentials(url)
