"""Text of which nobody knows where it comes from, as a terminal may get it."""


def harmless(text: str) -> str:
    """On one line, and nothing in it that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
