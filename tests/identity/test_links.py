"""One-time links: a browser's way in."""

import pytest

from penstock.errors import NotAuthenticated
from penstock.identity.links import Links, is_local_path
from penstock.identity.tokens import Caller

OWNER = Caller("owner")


def test_a_link_can_be_followed_once() -> None:
    """The second time it is unknown."""
    links = Links()
    code = links.issue(OWNER, "/mlflow/demo/#/experiments/1", now=0.0)

    link = links.redeem(code, now=1.0)

    assert (link.caller, link.target) == (OWNER, "/mlflow/demo/#/experiments/1")
    with pytest.raises(NotAuthenticated, match="used already"):
        links.redeem(code, now=1.0)


def test_a_link_ends_after_five_minutes() -> None:
    """Found later in a log it is worth nothing."""
    links = Links()
    code = links.issue(OWNER, "/", now=0.0)

    with pytest.raises(NotAuthenticated, match="older than five minutes"):
        links.redeem(code, now=300.0)


def test_an_unknown_code_is_refused() -> None:
    """Guessing gets nowhere."""
    with pytest.raises(NotAuthenticated):
        Links().redeem("x", now=0.0)


def test_a_loop_of_links_does_not_fill_the_memory() -> None:
    """The oldest goes; the newest works."""
    links = Links()
    codes = [links.issue(OWNER, "/", now=0.0) for _ in range(1001)]

    with pytest.raises(NotAuthenticated):
        links.redeem(codes[0], now=0.0)

    assert links.redeem(codes[-1], now=0.0).caller == OWNER


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/", "//evil.example/", "/\\evil.example/", "\\\\evil.example", "javascript:alert(1)", "",
        "x", "/a\r\nSet-Cookie: x=1", "/\tx", "/ x", "/\x00", "/é",
    ],
)  # fmt: skip
def test_a_link_leads_nowhere_else(target: str) -> None:
    """A target that a browser would take for another place is refused when the link is made."""
    assert not is_local_path(target)
    with pytest.raises(ValueError, match="is not a path on this server"):
        Links().issue(OWNER, target, now=0.0)
