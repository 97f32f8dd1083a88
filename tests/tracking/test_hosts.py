"""The names that a server answers to, on the loopback port and on a team's."""

from typing import Any

import pytest

from penstock.errors import PermissionDenied
from penstock.server.loopback import check_host, check_made_by_us, cookie_name


def _scope(host: str, came_to: str = "10.0.0.5", **headers: str) -> dict[str, Any]:
    said = [
        (b"host", host.encode()),
        *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
    ]
    return {"headers": said, "server": (came_to, 8080), "scheme": "https", "method": "POST"}  # fmt: skip


@pytest.mark.parametrize(
    ("host", "came_to"),
    [
        ("mlops.example:8080", "10.0.0.5"),
        ("MLOPS.example", "10.0.0.5"),
        ("10.0.0.5:8080", "10.0.0.5"),
        ("[fe80::1]:8080", "fe80::1"),
    ],
)
def test_a_server_answers_to_its_names_and_to_the_address_that_was_called(host: str, came_to: str) -> None:
    """An address cannot be pointed at another machine, a name can."""
    check_host(_scope(host, came_to), frozenset({"mlops.example"}))


@pytest.mark.parametrize(
    "host", ["evil.example", "10.0.0.6", "localhost", "127.0.0.1", "mlops.example.evil.example"]
)
def test_a_server_answers_to_no_other_name(host: str) -> None:
    """Not even to those of the loopback port, where it is not one."""
    with pytest.raises(PermissionDenied, match="does not answer to that name"):
        check_host(_scope(host), frozenset({"mlops.example"}))


def test_a_page_of_the_same_name_without_encryption_is_another_site() -> None:
    """Whoever sits in between could have made it."""
    check_made_by_us(_scope("mlops.example", origin="https://mlops.example"))
    with pytest.raises(PermissionDenied):
        check_made_by_us(_scope("mlops.example", origin="http://mlops.example"))


def test_two_servers_on_one_machine_have_cookies_of_their_own() -> None:
    """Cookies do not tell ports apart, so their names do."""
    assert cookie_name({"server": ("127.0.0.1", 1)}) != cookie_name({"server": ("127.0.0.1", 2)})
