"""Names for jobs that were given none: `adjective_noun_suffix`, as users of `az ml` know them; names for their steps."""

import hashlib
import secrets
from collections.abc import Callable, Iterable

_ADJECTIVES = (
    "amber", "bold", "brave", "brisk", "calm", "clever", "coral", "crisp", "eager", "early", "fair", "fresh",
    "gentle", "golden", "good", "green", "happy", "honest", "humble", "ivory", "jolly", "keen", "kind", "lively",
    "loyal", "lucid", "mellow", "merry", "mild", "neat", "noble", "olive", "patient", "placid", "plucky", "polite",
    "proud", "quick", "quiet", "ready", "serene", "silver", "sincere", "smart", "steady", "stoic", "sunny", "swift",
    "tidy", "upbeat", "vivid", "warm", "willing", "wise", "witty", "zesty",
)  # fmt: skip
_NOUNS = (
    "apple", "arch", "barley", "basin", "beacon", "birch", "brook", "canal", "cedar", "cloud", "clover", "cove",
    "dam", "delta", "dune", "elm", "falcon", "fern", "fjord", "garden", "gate", "glacier", "harbor", "hazel", "heron",
    "island", "ivy", "kettle", "lagoon", "lake", "lantern", "lark", "maple", "meadow", "mill", "moss", "oak", "otter",
    "parsley", "pear", "pine", "plum", "pond", "quill", "reed", "ridge", "river", "rudder", "sail", "shore", "sluice",
    "spring", "stone", "stream", "thistle", "turbine", "valley", "weir", "wheel", "willow",
)  # fmt: skip
_SUFFIX_LETTERS = "0123456789bcdfghjklmnpqrstvwxyz"  # no vowels: a suffix never spells a word


def new_job_name(choose: Callable[[str | tuple[str, ...]], str] = secrets.choice) -> str:
    """A name such as `happy_weir_x1y2z3b4c5`; about 10^18 of them, so that two never meet."""
    suffix = "".join(choose(_SUFFIX_LETTERS) for _ in range(10))
    return f"{choose(_ADJECTIVES)}_{choose(_NOUNS)}_{suffix}"


_LONGEST = 200  # folders carry the names of jobs, with a few letters before them, and may have 255
_DIGEST = 10


def step_names(root: str, paths: Iterable[str], is_taken: Callable[[str], bool]) -> dict[str, str]:
    """A name for every step's job: `<job>_train_fit` for the path `train/fit`, with a number where that is taken.

    A long one ends with a digest in place of what would be too much.
    """
    names: dict[str, str] = {}
    given: set[str] = set()
    for path in paths:
        wanted = f"{root}_{path.replace('/', '_')}"
        if len(wanted) > _LONGEST:
            wanted = (
                f"{wanted[: _LONGEST - _DIGEST - 1]}_{hashlib.sha256(wanted.encode()).hexdigest()[:_DIGEST]}"
            )
        name, number = wanted, 1
        while name in given or is_taken(name):
            number += 1
            name = f"{wanted}_{number}"
        names[path] = name
        given.add(name)
    return names
