"""Keeping credentials out of what is shown, logged and digested: addresses carry them more often than one thinks."""

import re

_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s'\"`]+@")
_IN_QUERY = re.compile(
    r"([?&](?:sig|signature|token|access_token|key|api_key|password)=)[^&\s#'\"`]+", re.IGNORECASE
)
# Servers of conda packages take a token as a part of the path.
_IN_PATH = re.compile(r"(?<=/t/)[A-Za-z0-9_-]{8,}(?=/)")


def without_credentials(text: str) -> str:
    """The text with the user part of every address, every signature in a query and every token replaced by `***`."""
    return _IN_PATH.sub("***", _IN_QUERY.sub(r"\1***", _IN_ADDRESS.sub("***@", text)))
