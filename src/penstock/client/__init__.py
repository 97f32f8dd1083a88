"""Calls to the server over its socket or a URL, and the start of the embedded server. See README.md in this folder."""
