"""From the last lines of a failed step's log to the next thing to try."""

import re
from collections.abc import Callable, Sequence

_Advice = Callable[[re.Match[str]], str]

# The name that a module is imported by, and the package that brings it.
_PACKAGE_OF_MODULE = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "yaml": "pyyaml",
}


def _missing_module(match: re.Match[str]) -> str:
    module = match["module"].split(".")[0]
    package = _PACKAGE_OF_MODULE.get(module, module)
    return f"add `{package}` to the environment's conda file, or check that `{module}.py` is in the `code` folder"


_ADVICE: tuple[tuple[re.Pattern[str], _Advice], ...] = (
    (re.compile(r"No module named '?(?P<module>[\w.]+)'?"), _missing_module),
    (
        re.compile(r"can't open file '(?P<file>[^']+)'"),
        lambda match: (
            f"`{match['file'].rsplit('/', 1)[-1]}` is not in the step's `code` folder, or an ignore file leaves it out"
        ),
    ),
    (
        re.compile(r"error: the following arguments are required: (?P<names>.+)"),
        lambda match: (
            f"pass {match['names'].strip()} in the step's `command`, for example from `${{{{inputs.…}}}}`"
        ),
    ),
    (
        re.compile(r"(?P<name>[\w./-]+): (?:command )?not found"),
        lambda match: (
            f"`{match['name']}` is not on the step's PATH; the environment provides Python and its packages"
        ),
    ),
    (
        re.compile(r"No space left on device"),
        lambda _: "free space where the state is kept (`penstock du`, `penstock gc`)",
    ),
    (
        re.compile(r"skops_trusted_types|UntrustedTypesFoundException"),
        lambda _: 'pin `mlflow<3` in the conda file, or pass serialization_format="cloudpickle" to log_model',
    ),
)


def next_step(log_tail: Sequence[str], job: str) -> str:
    """What to do about a failed step, judged by its log's last lines; the whole log where nothing is recognised.

    `job` is what `job stream` is told: the name, and whatever flag shows the log.
    """
    for line in reversed(log_tail):
        for pattern, advice in _ADVICE:
            match = pattern.search(line)
            if match:
                return advice(match)
    return f"see the whole log with `penstock job stream -n {job}`"
