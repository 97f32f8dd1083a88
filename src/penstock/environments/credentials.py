"""Keeping credentials out of what is shown, logged and digested: addresses carry them more often than one thinks."""

import re

_IN_ADDRESS = re.compile(r"(?<=://)[^/@\s'\"`]+@")
_IN_QUERY = re.compile(
    r"([?&](?:sig|signature|token|access_token|key|api_key|password)=)[^&\s#'\"`]+", re.IGNORECASE
)


def without_credentials(text: str) -> str:
    """The text with the user part of every address, and every signature in a query, replaced by `***`."""
    return _IN_QUERY.sub(r"\1***", _IN_ADDRESS.sub("***@", text))
