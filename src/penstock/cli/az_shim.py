"""`penstock az-shim`: put an `az` first on PATH, say which one wins, and take ours away again.

What is printed is code for the shell that evaluates it; it works out PATH when it runs, so that it can stand in a start-up file.
"""

import os
import shlex
from pathlib import Path
from typing import Any

from penstock.cli import az_on_path, az_script
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome
from penstock.errors import PenstockError, UsageError

# Only the shell's own words, for sh, bash and zsh; each line ends with a semicolon, so that `eval $(…)` without quotes works too.
# A PATH is kept as it is, with its empty entries, which mean the current folder.
_WITHOUT = """\
_penstock_shim=@FOLDER@;
_penstock_path="${PATH:+:$PATH:}";
while :; do case "$_penstock_path" in *":$_penstock_shim:"*) ;; *) break ;; esac;
_penstock_path="${_penstock_path%%":$_penstock_shim:"*}:${_penstock_path#*":$_penstock_shim:"}"; done;
_penstock_path="${_penstock_path#:}"; _penstock_path="${_penstock_path%:}";
"""
_FIRST = """\
PATH="$_penstock_shim${_penstock_path:+:$_penstock_path}"; export PATH;
if [ "$(command -v az)" != "$_penstock_shim/az" ]; then \
echo "warning: an alias or function az of this shell counts before that of Penstock: unalias az; unset -f az" >&2; fi;
"""
_GONE = """\
PATH="$_penstock_path"; export PATH;
"""
_END = "unset _penstock_shim _penstock_path;\n"
_RELAX, _NO_RELAX = "export PENSTOCK_RELAX=1;\n", "unset PENSTOCK_RELAX;\n"

_FISH_WITHOUT = """\
set -l _penstock_shim @FOLDER@;
set -l _penstock_path;
for _penstock_each in $PATH; test "$_penstock_each" = "$_penstock_shim"; or set -a _penstock_path "$_penstock_each"; end;
"""
_FISH_FIRST = """\
set -gx PATH "$_penstock_shim" $_penstock_path;
functions -q az; and echo "warning: a function az of this shell counts before that of Penstock: functions -e az" >&2;
"""
_FISH_GONE = "set -gx PATH $_penstock_path;\n"
_FISH_RELAX, _FISH_NO_RELAX = "set -gx PENSTOCK_RELAX 1;\n", "set -e PENSTOCK_RELAX;\n"

# In every shell: what is evaluated where this fails must not look like success, and go on to the cloud.
_FAILED = "false\n"


def run(invocation: Invocation) -> object:
    arguments = invocation.arguments
    if arguments.check and (arguments.undo or arguments.relax):
        raise UsageError("argument --check: goes with neither --undo nor --relax")
    if arguments.check:
        return _checked(invocation)
    shim = invocation.home.az_shim
    code = code_for(arguments.shell or "sh", shim.parent, undo=arguments.undo, relax=arguments.relax)
    if not arguments.undo:
        az_script.write(invocation.home)
    return Outcome({"path": str(shim), "shell": arguments.shell or "sh", "code": code}, text=code)


def code_for(shell: str, folder: Path, *, undo: bool = False, relax: bool = False) -> str:
    """The code that puts the folder first on PATH, once, or with `undo` takes it off it."""
    text = str(folder)
    if os.pathsep in text:
        raise PenstockError(
            f"the folder {text} cannot be on PATH: it has a `{os.pathsep}` in its name",
            hint="PENSTOCK_HOME names another folder",
        )
    if shell == "fish":
        code = _FISH_WITHOUT + (_FISH_GONE if undo else _FISH_FIRST)
        relaxing = _FISH_NO_RELAX if undo else _FISH_RELAX
        quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    else:
        code = _WITHOUT + (_GONE if undo else _FIRST) + _END
        relaxing = _NO_RELAX if undo else _RELAX
        quoted = shlex.quote(text)
    return code.replace("@FOLDER@", quoted) + (relaxing if relax else "")


def _checked(invocation: Invocation) -> Outcome:
    record = check(invocation)
    lines = [f"az is {record['path']}" if record["path"] else "there is no az on PATH"]
    if record["version"]:
        lines.append(f"  Penstock {record['version']}, home {record['home']}, {record['python']}")
    if record["real_az"]:
        lines.append(
            f"  what Penstock does not serve goes to {record['real_az']}"
            if record["ours"]
            else f"  the real az: {record['real_az']}"
        )
    if record["problem"]:
        lines += [f"Penstock's az does not win: {record['problem']}", f"hint: {record['remedy']}"]
    else:
        lines.append("Penstock's az wins")
    return Outcome(record, text="\n".join(lines) + "\n", exit_code=0 if record["wins"] else 1)


def check(invocation: Invocation) -> dict[str, Any]:  # Any: a record
    """Which `az` wins. `ours`: it is Penstock's; `wins`: it is this home's, and works."""
    environ = os.environ
    first = next(az_on_path.every_az(environ), None)
    shim = first.shim if first else None
    problem, remedy = _problem(invocation, first)
    return {
        "wins": problem is None,
        "ours": shim is not None,
        "path": first.path if first else None,
        "version": shim.version if shim else None,
        "home": shim.home if shim else None,
        "python": shim.python if shim else None,
        "real_az": az_on_path.real_az(environ),
        "problem": problem,
        "remedy": remedy,
    }


def _problem(invocation: Invocation, first: az_on_path.Az | None) -> tuple[str | None, str | None]:
    put_first = 'eval "$(penstock az-shim)"'
    if az_on_path.has_exported_function(os.environ):
        return "bash functions count before files, and there is an exported function az", "unset -f az"
    if first is None:
        return "its folder is not on PATH", put_first
    if first.shim is None:
        folders = [az.path for az in az_on_path.every_az(os.environ) if az.shim is not None]
        where = f"before {folders[0]} on PATH" if folders else "on PATH, and Penstock's is not"
        return f"{first.path} is {where}", put_first
    if not os.access(first.shim.python, os.X_OK):
        return f"the Python that it starts is gone: {first.shim.python}", put_first
    if Path(first.shim.home).resolve() != invocation.home.path.resolve():
        return (
            f"it belongs to the home {first.shim.home}, and this is {invocation.home.path}",
            f"{put_first}, or export PENSTOCK_HOME={shlex.quote(first.shim.home)}",
        )
    return None, None


COMMANDS = (
    Command(
        name="az-shim",
        summary="Put an `az` before the real one, so that scripts for the cloud run here.",
        description=(
            "Writes an executable `az` into $PENSTOCK_HOME/shim and prints the code that puts this folder first on PATH, for the"
            " shell to evaluate. `az ml …` is then `penstock …`; logins, accounts, extensions, defaults, groups and resources are"
            " answered; what only the cloud has is refused by name, or goes to the real `az` where there is one."
        ),
        arguments=(
            Argument(
                ("--shell",),
                "Shell whose code is printed. That of sh, bash and zsh is the same.",
                choices=("bash", "zsh", "sh", "fish"),
                default="sh",
            ),
            Argument(
                ("--relax",),
                "Set PENSTOCK_RELAX=1 as well: environments whose pins can no longer be installed get the nearest that can.",
                takes="nothing",
            ),
            Argument(
                ("--check",), "Say which `az` wins. Exit code 1 if it is not this one.", takes="nothing"
            ),
            Argument(
                ("--undo",),
                "Print the code that takes it off PATH again; with --relax, that unsets PENSTOCK_RELAX too.",
                takes="nothing",
            ),
        ),
        examples=(
            Example("in this shell, or at the top of a script", 'eval "$(penstock az-shim)"'),
            Example("with old pins relaxed", 'eval "$(penstock az-shim --relax)"'),
            Example("in fish", "penstock az-shim --shell fish | source"),
            Example("which az wins?", "penstock az-shim --check"),
            Example("no longer", 'eval "$(penstock az-shim --undo)"'),
        ),
        run=run,
        on_failure=_FAILED,
    ),
)
