"""A name without blanks for a home that has some in its path.

Azure ML's commands name their inputs and outputs without quotes (`--data ${{inputs.data}}`), for in the cloud no path has
a blank. Where ours has one, steps reach it by a link that has none.
"""

import contextlib
import os
import re
from dataclasses import replace

from penstock.errors import ServerUnavailable
from penstock.settings import Home, private_folder

# What a shell takes as one word, and as itself.
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def with_plain_path(home: Home) -> Home:
    """The same home; its workspaces are named by a path that needs no quotes. Call it with the server's lock held."""
    if _PLAIN.fullmatch(str(home.path)):
        return home
    folder = private_folder(home.path)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ServerUnavailable(
            f"{folder} belongs to somebody else, and steps need it to reach {home.path}",
            hint="set PENSTOCK_HOME to a path of letters, digits, `.`, `_` and `-`",
        )
    link = folder / "home"
    if not (link.is_symlink() and link.readlink() == home.path):
        with contextlib.suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(home.path)
    return replace(home, plain_path=link)
