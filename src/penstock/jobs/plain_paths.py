"""Names without blanks for places whose own names have some: what ends up in commands that quote nothing.

Azure ML mounts data at places that need no quotes, so files say `python prep.py --data ${{inputs.data}}`. A folder of
one's own, behind a datastore or in a map of addresses, may be called anything.
"""

import re
from pathlib import Path

from penstock.jobs.places import JobFolders

# What a shell takes as one word, and as itself. Letters of every alphabet are.
_PLAIN = re.compile(r"[\w@%+=:,./-]+")


def plain_path(path: Path, kind: str, name: str, folders: JobFolders) -> str:
    """The path of an input or output (`kind`) as a command can hold it: by way of a link where its own is not plain.

    A file keeps its name, for scripts read it: blanks in that are what they would be in Azure ML.
    """
    text = folders.home.plainly(path)
    is_folder = path.is_dir()
    if _PLAIN.fullmatch(str(text if is_folder else text.parent)):
        return str(text)
    link = folders.links / kind / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path if is_folder else path.parent)
    text = folders.home.plainly(link)
    return str(text if is_folder else text / path.name)
