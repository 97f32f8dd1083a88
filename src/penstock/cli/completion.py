"""`penstock completion`: what a shell needs to complete command lines.

The scripts are short and never go out of date: they ask `penstock completion words`, which knows the grammar of the
program that is installed. It imports the noun that is typed and no more, and starts no server.
"""

from collections.abc import Iterable

from penstock.cli.completing import candidates
from penstock.cli.grammar import Argument, Command, Example
from penstock.cli.invocation import Invocation, Outcome

_BASH = """\
_penstock() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        [ -n "$word" ] && COMPREPLY+=("$word")
    done < <(penstock completion words --line="${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o default -F _penstock penstock
"""
_ZSH = """\
#compdef penstock
_penstock() {
    local -a found
    found=(${(f)"$(penstock completion words --line="${(j: :)words[1,CURRENT]}" 2>/dev/null)"})
    if (( ${#found} )); then compadd -a found; else _files; fi
}
compdef _penstock penstock
"""
_FISH = """\
function __penstock_words
    penstock completion words --line=(commandline -cp | string collect) 2>/dev/null
end
complete -c penstock -e
complete -c penstock -a '(__penstock_words)'
"""

# Where the names of a noun's things are listed, below the API's root.
_PLURALS = {
    "job": "jobs", "environment": "environments", "data": "data", "model": "models", "component": "components",
    "compute": "computes", "datastore": "datastores",
}  # fmt: skip


def _words(invocation: Invocation) -> object:
    found = candidates(invocation.arguments.line, lambda noun: _names_of(invocation, noun))
    return Outcome(found, text="".join(f"{word}\n" for word in found))


def _names_of(invocation: Invocation, noun: str) -> Iterable[str]:
    """The names that a running server knows. Without one, or with one that has trouble, there are none."""
    from penstock.client.connection import Address, Connection, escaped
    from penstock.errors import PenstockError
    from penstock.settings import setting

    if setting("PENSTOCK_SERVER") or not invocation.home.socket.exists():
        return ()
    path = f"/api/v1/workspaces/{escaped(invocation.workspace)}/{_PLURALS.get(noun, '')}"
    path = {"workspace": "/api/v1/workspaces", "registry": "/api/v1/registries"}.get(noun, path)
    connection = Connection(Address(socket=invocation.home.socket))  # nothing that would start a server
    try:
        return [str(record["name"]) for record in connection.get(path)]
    except PenstockError:
        return ()
    finally:
        connection.close()


def _script(name: str, text: str, example: Example) -> Command:
    return Command(
        name=name,
        summary=f"Print the script that completes command lines in {name}.",
        examples=(example,),
        run=lambda _: Outcome({"script": text}, text=text),
    )


COMMANDS = (
    _script(
        "bash", _BASH, Example("for this shell; in ~/.bashrc for good", 'eval "$(penstock completion bash)"')
    ),
    _script("zsh", _ZSH, Example("in ~/.zshrc, after compinit", 'eval "$(penstock completion zsh)"')),
    _script(
        "fish",
        _FISH,
        Example("in ~/.config/fish/config.fish", "penstock completion fish | source"),
    ),
    Command(
        name="words",
        summary="Print what may follow a command line. The scripts call it.",
        arguments=(Argument(("--line",), "The line up to the cursor.", required=True, metavar="LINE"),),
        examples=(Example("what commands a job has", 'penstock completion words --line "penstock job "'),),
        run=_words,
    ),
)
