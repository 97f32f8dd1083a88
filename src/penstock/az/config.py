"""`az config`: single settings, as `section.name`.

`defaults.*` and `core.output` are the defaults that `penstock configure` keeps. All others are kept, given back, and without effect.
"""

from collections.abc import Mapping

from penstock import config_file
from penstock.cli import defaults
from penstock.cli.grammar import OUTPUT_FORMATS, Argument, Command, Example
from penstock.cli.invocation import Invocation
from penstock.errors import PenstockError, UsageError

_PART = "az_config"
_DEFAULTS, _OUTPUT = "defaults", "core.output"
_LOCAL = Argument(("--local",), "Refused: settings are the user's.", takes="nothing")


def _all(invocation: Invocation) -> dict[str, str]:
    """Every setting by `section.name`."""
    kept = {str(name): str(value) for name, value in config_file.read(invocation.home, _PART).items()}
    for name, value in defaults.read(invocation.home).items():
        kept[_OUTPUT if name == "output" else f"{_DEFAULTS}.{name}"] = value
    return kept


def _get(invocation: Invocation) -> object:
    _refuse_local(invocation)
    found = _all(invocation)
    key: str | None = invocation.arguments.key
    if key is not None and "." in key:
        if key not in found:
            raise PenstockError(
                f"the setting {key} is not set",
                hint=f"az config set {key}=VALUE; az config get lists what is set",
            )
        return _row(invocation, key, found[key])
    sections: dict[str, list[object]] = {}
    for name in sorted(found):
        sections.setdefault(name.partition(".")[0], []).append(_row(invocation, name, found[name]))
    return sections if key is None else sections.get(key, [])


def _row(invocation: Invocation, key: str, value: str) -> Mapping[str, str]:
    return {"name": key.partition(".")[2], "source": str(invocation.home.config), "value": value}


def _set(invocation: Invocation) -> None:
    _refuse_local(invocation)
    pairs = {}
    for word in invocation.arguments.key_value or ():
        key, equals, value = word.partition("=")
        if not equals or "." not in key.strip("."):
            raise UsageError(
                f"`{word}` is not SECTION.NAME=VALUE", hint="az config set defaults.workspace=taxi-dev"
            )
        pairs[key] = value
    if not pairs:
        raise UsageError("the following arguments are required: KEY_VALUE")
    if pairs.get(_OUTPUT) and pairs[_OUTPUT] not in OUTPUT_FORMATS:
        raise UsageError(f"the output `{pairs[_OUTPUT]}` is not one of {', '.join(OUTPUT_FORMATS)}")
    _change(invocation, pairs)


def _unset(invocation: Invocation) -> None:
    _refuse_local(invocation)
    keys = invocation.arguments.key or ()
    if not keys:
        raise UsageError("the following arguments are required: KEY")
    _change(invocation, dict.fromkeys(keys, ""))


def _change(invocation: Invocation, pairs: Mapping[str, str]) -> None:
    """An empty value removes a setting."""
    ours, others = {}, {}
    for key, value in pairs.items():
        section, _, name = key.partition(".")
        if key == _OUTPUT:
            ours["output"] = value
        elif section == _DEFAULTS:
            ours[name] = value
        else:
            others[key] = value
    if ours:
        defaults.change(invocation.home, ours)
    if others:
        config_file.change(
            invocation.home,
            _PART,
            lambda kept: {key: value for key, value in {**kept, **others}.items() if value},
        )


def _refuse_local(invocation: Invocation) -> None:
    if invocation.arguments.local:
        raise PenstockError(
            "argument --local: settings of a folder are not supported yet", hint="leave it out"
        )


COMMANDS = (
    Command(
        name="get",
        summary="Show one setting, a section, or all.",
        arguments=(Argument(("key",), "SECTION or SECTION.NAME.", metavar="KEY"), _LOCAL),
        examples=(
            Example("the default workspace", "az config get defaults.workspace --query value -o tsv"),
            Example(
                "the same out of all", "az config get --query \"defaults[?name=='workspace'].value\" -o tsv"
            ),
        ),
        run=_get,
    ),
    Command(
        name="set",
        summary="Set settings; those that Penstock has no use for are kept without effect.",
        arguments=(
            Argument(("key_value",), "SECTION.NAME=VALUE.", takes="values", metavar="KEY=VALUE"),
            _LOCAL,
        ),
        examples=(
            Example("a default", "az config set defaults.workspace=taxi-dev defaults.group=my-group"),
            Example("as scripts do", "az config set extension.use_dynamic_install=yes_without_prompt"),
        ),
        run=_set,
    ),
    Command(
        name="unset",
        summary="Remove settings.",
        arguments=(Argument(("key",), "SECTION.NAME.", takes="values", metavar="KEY"), _LOCAL),
        examples=(Example("a default", "az config unset defaults.workspace"),),
        run=_unset,
    ),
)
