"""Why an environment cannot be built, in a few lines that a person can act on."""

import re
from collections.abc import Iterator, Sequence

from penstock.environments.conda_file import Wanted, names_of
from penstock.environments.credentials import without_credentials
from penstock.environments.files import storage_full
from penstock.environments.interpreters import Interpreter
from penstock.environments.recipes import EnvironmentRequest
from penstock.environments.uv import Trouble, Uv, UvFailed
from penstock.errors import EnvironmentCannotBeBuilt, PenstockError, Problem
from penstock.resources.relaxed import HOW_TO_RELAX

_MOST_SENTENCES = 8
_MOST_LOG_LINES = 12
_LONGEST_REASON = 240
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# How a derivation begins that ends with something that is not to be had, and what that comes to.
_ABSENCES = (
    (rf"^(?P<name>{_NAME})\S* has no (?:usable )?wheels", "has no wheel for this Python"),
    (rf"^(?P<name>{_NAME})\S* was not found in", "no index has"),
    (rf"^there (?:is|are) no versions? of (?P<name>{_NAME})", "no index has"),
    (rf"^only (?:the following versions of )?(?P<name>{_NAME})\S* (?:is|are) available", "no index has"),
)
_TELLING = re.compile(r"fatal:|[Ee]rror:|denied|not found")
# About flags of uv, which nobody types here, or true of every failure.
_OF_NO_HELP = re.compile(r"--|\[tool\.uv|^Build failures usually")


def cannot_be_built(
    failure: UvFailed, label: str, wanted: Sequence[Wanted], interpreter: Interpreter, uv: Uv
) -> PenstockError:
    """The error for what uv said while it worked on the environment called `label`."""
    match failure.trouble:
        case Trouble.DISK:
            return storage_full(uv.folder)
        case Trouble.CONFLICT:
            return _contradiction(failure.text, label, wanted, interpreter)
        case Trouble.NETWORK:
            return EnvironmentCannotBeBuilt(
                f"environment `{label}` cannot be built: what it needs cannot be downloaded",
                details=[
                    *_no_way_in(failure.text),
                    *_causes(failure.text),
                    "what was downloaded before is not enough for it",
                ],
                hint="check the network, HTTPS_PROXY, PIP_INDEX_URL and SSL_CERT_FILE of the server, and run the job again",
            )
        case Trouble.BUILD:
            return EnvironmentCannotBeBuilt(
                f"environment `{label}` cannot be built: a package has no wheel for Python {interpreter.version} here, "
                "and building it from source failed",
                details=_end_of(failure.text),
                hint=_hint_in(failure.text)
                or "pin a version of it that has wheels for this Python, or the Python that the pinned version was made for",
            )
        case _:
            return EnvironmentCannotBeBuilt(
                f"environment `{label}` cannot be built",
                details=_end_of(failure.text),
                hint=_hint_in(failure.text),
            )


def all_of_it(
    request: EnvironmentRequest, problems: Sequence[Problem], unknown: str | None = None
) -> EnvironmentCannotBeBuilt:
    """The error that lists every obstacle with its line and its remedy, and then how to do without."""
    hints = list(dict.fromkeys(problem.hint for problem in problems if problem.hint))
    return EnvironmentCannotBeBuilt(
        f"environment `{request.label}` cannot be built",
        details=[*_with_remedies(problems, len(hints) > 1), *([unknown] if unknown else [])],
        hint="\n".join([*(hints if len(hints) == 1 else []), *_relaxing_would_help(request, problems)])
        or None,
    )


def with_all_of_it(error: PenstockError, problems: Sequence[Problem]) -> PenstockError:
    """The error of the first thing that uv met, with all the others that it did not come to."""
    if not problems:
        return error
    return EnvironmentCannotBeBuilt(
        error.message,
        details=[*error.details, *_with_remedies(problems, True)],
        hint="\n".join(part for part in (error.hint, HOW_TO_RELAX) if part),
    )


def _with_remedies(problems: Sequence[Problem], remedies: bool) -> Iterator[str]:
    for problem in problems:
        remedy = f" ({problem.hint})" if remedies and problem.hint else ""
        yield f"{problem.pointer}  {problem.message}{remedy}"


def _relaxing_would_help(request: EnvironmentRequest, problems: Sequence[Problem]) -> list[str]:
    return [HOW_TO_RELAX] if not request.relax and any(one.code == "not_found" for one in problems) else []


def in_short(text: str, about: str = "") -> str:
    """What uv said, as one sentence: what its derivation begins with, or the line of a log that says most.

    Of several steps the first that is `about` a package, where it is named.
    """
    if "No solution found" in text:
        reason = _not_to_be_had(text) or _first_step(text, about)
    else:
        lines = _lines_of(re.split(r"\n\s*\n\s*hint:", text)[0])
        telling = [line for line in lines if _TELLING.search(line)]
        reason = (telling or lines or ["no reason was given"])[-1]
    reason = without_credentials(reason.strip().rstrip("."))
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"


def _not_to_be_had(text: str) -> str | None:
    """`x 1.0 needs y<4, which no index has`, where the derivation begins with a release that is not to be had."""
    steps = _sentences(text)
    for signs, why in _ABSENCES:
        missing = re.search(signs, steps[0])
        if missing is None:
            continue
        name = missing["name"]
        needs = re.search(rf"(\S+) depends on ({re.escape(name)}(?![\w.-])\S*)", "\n".join(steps))
        if needs is not None:
            return f"{_release(needs[1])} needs {_release(needs[2]).rstrip(',')}, which {why}"
        wanted = re.search(rf"you require ({re.escape(name)}(?![\w.-])\S*)", "\n".join(steps))
        return f"{_release(wanted[1].rstrip(',') if wanted else name)} {why}"
    return None


def _first_step(text: str, about: str) -> str:
    """`x 1.0 needs y<4`: what one step says, in which the rest of it follows from the file."""
    steps = _sentences(text)
    named = [step for step in steps if about and re.search(rf"(?<![\w-]){re.escape(about)}(?![\w-])", step)]
    step = re.sub(r",? and you require .*$| and the requirements cannot all be met$", "", (named or steps)[0])
    step = re.sub(r", so \S+ cannot be used$", "", step)
    step = re.sub(
        rf"^(\S+) depends on (({_NAME})\S*) and (\3[<>=!~]\S*)$",
        r"\1 needs \2, and only \4 can be taken here",
        step,
    )
    return " ".join(_release(word) for word in step.replace(" depends on ", " needs ").split())


def _release(text: str) -> str:
    """`mlflow 2.3.0` for `mlflow==2.3.0`, and bounds without the pre-releases that uv means by them."""
    text = re.sub(r"(?<=\d)(?:\.dev0|a0)(?![\w.])", "", text)
    return re.sub(r"^([^=<>~!]+)==(?=[^,]+,?$)", r"\1 ", text)


def _contradiction(
    text: str, label: str, wanted: Sequence[Wanted], interpreter: Interpreter
) -> EnvironmentCannotBeBuilt:
    sentences = _sentences(text)
    named = names_of(wanted)
    concerned = [
        one
        for name, one in named.items()
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text.lower())
    ]
    lines = [f"{one.pointer}  {without_credentials(one.requirement)}" for one in concerned]
    return EnvironmentCannotBeBuilt(
        f"environment `{label}` cannot be built: its requirements cannot all be met with Python {interpreter.version}",
        details=[*_shortened(sentences), *lines],
        hint=_hint_in(text) or "loosen or change one of the pins named above",
    )


def _sentences(text: str) -> list[str]:
    """uv's derivation, a step a line: `Because a and b, we can conclude that c` becomes `a and b, so c`."""
    body = re.split(r"\n\s*\n\s*hint:", text)[0]
    body = body.split("cause:", 1)[-1]
    joined = re.sub(r"\{python_full_version [^}]*\}", "", re.sub(r"\s+", " ", body)).strip()
    joined = joined.replace("your requirements are unsatisfiable", "the requirements cannot all be met")
    steps = re.split(r"(?<=\.)\s+(?=(?:And b|B)ecause\b)", joined)
    return [_step(step.strip().rstrip(".")) for step in steps if step.strip()]


def _step(sentence: str) -> str:
    match = re.fullmatch(r"(?:And b|B)ecause (.*?),? we can conclude that (.*)", sentence)
    return f"{match[1]}, so {match[2]}" if match else sentence


def _shortened(sentences: Sequence[str]) -> list[str]:
    if len(sentences) <= _MOST_SENTENCES:
        return list(sentences)
    half = _MOST_SENTENCES // 2
    return [*sentences[:half], f"… ({len(sentences) - 2 * half} more steps)", *sentences[-half:]]


def _no_way_in(text: str) -> list[str]:
    """The index that asks for other credentials, before all that follows from it."""
    closed = re.search(
        r"An index URL \((\S+)\) could not be queried .*?\((401 \w+)\)", re.sub(r"\s+", " ", text)
    )
    if closed is None:
        return []
    return [
        f"{without_credentials(closed[1])} answers {closed[2]}: its user or password is wrong, or has expired"
    ]


def _causes(text: str) -> list[str]:
    return _lines_of(text)[:_MOST_LOG_LINES]


def _lines_of(text: str) -> list[str]:
    """What uv and the programs that it ran said, each thing once."""
    lines = [re.sub(r"^\s*cause:\s*", "", line).strip() for line in text.splitlines() if line.strip()]
    return list(dict.fromkeys(lines))


def _end_of(text: str) -> list[str]:
    """The first lines say which package, the last ones what went wrong; a compiler's log lies between."""
    body = re.split(r"\n\s*\n\s*hint:", text)[0]
    lines = [line.rstrip() for line in body.splitlines() if line.strip()]
    if len(lines) <= _MOST_LOG_LINES:
        return lines
    return [*lines[:3], "…", *lines[-(_MOST_LOG_LINES - 4) :]]


def _hint_in(text: str) -> str | None:
    """uv's own advice. Its hints about flags of uv would not help, since nobody types them."""
    hints = [
        re.sub(r"\s+", " ", hint).strip() for hint in re.split(r"^\s*hint:", text, flags=re.MULTILINE)[1:]
    ]
    return next((hint for hint in hints if not _OF_NO_HELP.search(hint)), None)
