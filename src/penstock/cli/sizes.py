"""Bytes as people read them."""


def readable(size: float) -> str:
    """`512 B`, `3.1 KiB`, `2.0 GiB`."""
    if size < 1024:
        return f"{int(size)} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"
