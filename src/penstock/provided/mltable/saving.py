"""The paths of a table that is saved: as seen from its new folder, or copied into it."""

from __future__ import annotations

import os

from .paths import is_address, local_path


def relative(entry: dict[str, str], base: str, folder: str) -> dict[str, str]:
    """The item as seen from `folder`. A folder may have two names: the current one is told by its real one."""
    ((kind, text),) = entry.items()
    if is_address(text):
        return {kind: text}
    path, here = local_path(text, os.path.realpath(base)), os.path.realpath(folder)
    for root in (folder, here):
        if path == root or path.startswith(root + os.sep):
            return {kind: "./" + os.path.relpath(path, root)}
    parent, name = os.path.split(path)
    path = os.path.relpath(os.path.join(os.path.realpath(parent), name), here)
    return {kind: path if path.startswith("..") else "./" + path}


def copied(files: list[str], folder: str, base: str, clean_up: bool) -> list[dict[str, str]]:
    """The items for copies of the files beside the MLTable file; what was copied before an error goes, where `clean_up` says so."""
    import shutil

    made = []  # type: list[str]
    paths = []
    try:
        for number, file in enumerate(files):
            inside = os.path.relpath(file, base)
            name = inside if not inside.startswith("..") else "{}/{}".format(number, os.path.basename(file))
            target = os.path.join(folder, name)
            if not os.path.exists(target) or not os.path.samefile(file, target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                made.append(target)
                shutil.copyfile(file, target)
            paths.append({"file": "./" + name.replace(os.sep, "/")})
    except OSError:
        if clean_up:
            for each in made:
                if os.path.exists(each):
                    os.remove(each)
        raise
    return paths
