"""What the user told pip, told to uv."""

import os
from pathlib import Path

import pytest

from penstock.environments.pip_configuration import uv_arguments, uv_variables


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """A user without any configuration."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg"), "PIP_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        ({"PIP_INDEX_URL": "https://x/simple"}, {"UV_DEFAULT_INDEX": "https://x/simple"}),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a/simple https://b/simple"},
            {
                "UV_EXTRA_INDEX_URL": "https://a/simple https://b/simple",
                "UV_INDEX_STRATEGY": "unsafe-best-match",
            },
        ),
        ({"PIP_FIND_LINKS": "/a ~/b"}, {"UV_FIND_LINKS": f"/a,{Path('~/b').expanduser()}"}),
        ({"PIP_TRUSTED_HOST": "a b"}, {"UV_INSECURE_HOST": "a b"}),
        ({"PIP_CERT": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"PIP_CERT": "/ca.pem", "SSL_CERT_FILE": "/other.pem"}, {}),
        ({"PIP_INDEX_URL": "https://x/simple", "UV_DEFAULT_INDEX": "https://y/simple"}, {}),
        ({"PIP_FIND_LINKS": "/a", "UV_INDEX_URL": "https://y/simple"}, {}),
        ({"PIP_PROXY": "http://p:3"}, {"HTTP_PROXY": "http://p:3", "HTTPS_PROXY": "http://p:3"}),
        ({"PIP_DEFAULT_TIMEOUT": "180"}, {"UV_HTTP_TIMEOUT": "180"}),
        ({}, {}),
    ],
)
def test_pips_variables_are_told_to_uv_where_it_was_not_told_itself(
    bare: dict[str, str], pip: dict[str, str], uv: dict[str, str]
) -> None:
    """A user's own word to uv wins."""
    assert uv_variables({**bare, **pip}) == uv


def test_pip_conf_is_read_and_pips_variables_win_over_it(bare: dict[str, str], tmp_path: Path) -> None:
    """As pip itself has it."""
    file = tmp_path / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text("[global]\nindex-url = https://file/simple\n[install]\nfind_links =\n    /a\n    /b\n")
    environ = {name: value for name, value in bare.items() if name != "PIP_CONFIG_FILE"}

    from_file = uv_variables(environ)
    overridden = uv_variables({**environ, "PIP_INDEX_URL": "https://variable/simple"})

    assert from_file["UV_DEFAULT_INDEX"] == "https://file/simple"
    assert from_file["UV_FIND_LINKS"] == "/a,/b"
    assert overridden["UV_DEFAULT_INDEX"] == "https://variable/simple"


def test_a_uv_toml_that_names_an_index_wins_over_pips_settings(bare: dict[str, str], tmp_path: Path) -> None:
    """Otherwise our variables would override the user's file."""
    file = tmp_path / ".config" / "uv" / "uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[[index]]\nurl = "https://uv/simple"\n')

    assert uv_variables({**bare, "PIP_INDEX_URL": "https://pip/simple"}) == {}


def test_no_index_is_an_argument(bare: dict[str, str]) -> None:
    """uv knows no variable for it."""
    assert uv_arguments({**bare, "PIP_NO_INDEX": "1"}) == ["--no-index"]
    assert uv_arguments(bare) == []
