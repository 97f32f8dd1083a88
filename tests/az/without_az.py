"""A PATH without the machine's own `az`: no test may reach the cloud, and machines of continuous integration have one."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def path_without_az(path: str) -> str:
    """The same folders; in the place of one that has an `az`, a folder of links to everything else in it."""
    return os.pathsep.join(
        _without_az(folder) if os.access(Path(folder or os.curdir, "az"), os.X_OK) else folder
        for folder in path.split(os.pathsep)
    )


def _without_az(folder: str) -> str:
    links = Path(tempfile.mkdtemp(prefix="without-az-"))
    atexit.register(shutil.rmtree, links, ignore_errors=True)
    for entry in Path(folder).iterdir():
        if entry.name != "az":
            (links / entry.name).symlink_to(entry.absolute())
    return str(links)


# What the scripts of the tests need of the machine.
SYSTEM = path_without_az("/usr/bin:/bin")
