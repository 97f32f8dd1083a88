"""The formats of a result. This module alone knows them; they are those of the Azure command line.

json, jsonc  two spaces, keys sorted, characters as they are; jsonc coloured where a person reads it
yaml, yamlc  block style
table        one column per top-level scalar; without a query sorted by key and without id, type, etag; first letter upper
tsv          no header; one row per item; a lone string bare, a lone boolean `true`/`false`; within a row `True`/`False`
             and `None`, a list its length, an object nothing; an object's values in the order of its sorted keys, or of
             the query that made it
none         nothing

A null result prints nothing in every format.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from penstock.errors import PenstockError, UsageError
from penstock.resources.nearest import did_you_mean

# Any in this module: a result is whatever JSON can hold.
Query = Callable[[Any], Any]

_HIDDEN_IN_TABLES = frozenset(("id", "type", "etag"))
_BLUE, _GREEN, _YELLOW, _END = "\033[34m", "\033[32m", "\033[33m", "\033[0m"


def compile_query(expression: str) -> Query:
    """A JMESPath query, ready to be applied; UsageError where it is none. Compiled before a command acts."""
    from jmespath import Options, compile, exceptions  # noqa: A004 (the library's own name)

    try:
        compiled = compile(expression)
    except (exceptions.JMESPathError, KeyError) as error:
        raise UsageError(
            f"argument --query: invalid JMESPath expression `{expression}`",
            details=str(error).splitlines(),
            hint="names with a dot or dash need double quotes: --query 'properties.\"azureml.runid\"'",
        ) from error
    _refuse_unknown_functions(compiled.parsed)

    def search(result: Any) -> Any:
        try:
            # The order of {Name:name, Version:version} is the order of columns.
            return compiled.search(result, Options(dict_cls=OrderedDict))
        except exceptions.JMESPathError as error:
            raise PenstockError(f"the query `{expression}` fails: {error}") from error

    return search


def _refuse_unknown_functions(node: Mapping[str, Any]) -> None:
    """Before a command acts: a job that runs already is not the place to learn of a mistyped function."""
    from jmespath.functions import Functions

    if node["type"] == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
        raise UsageError(
            f"argument --query: JMESPath has no function `{node['value']}`",
            hint=did_you_mean(str(node["value"]), Functions.FUNCTION_TABLE)
            or f"it has {', '.join(sorted(Functions.FUNCTION_TABLE))}",
        )
    for child in node["children"]:
        if isinstance(child, Mapping):
            _refuse_unknown_functions(child)


def render(
    result: Any, output: str, *, queried: bool = False, colour: bool = False, only_ascii: bool = False
) -> str:
    """The text of a result, with its last newline; empty for null and for `none`.

    `only_ascii` writes other characters in JSON's and YAML's own way, for a reader whose encoding does not have them.
    """
    if result is None or output == "none":
        return ""
    if output == "tsv":
        return _tsv(result)
    if output == "table":
        return _table(result, queried)
    if output.startswith("yaml"):
        text = _yaml(result, only_ascii)
        return _coloured(text, _YAML_TOKEN) if colour and output == "yamlc" else text
    text = json.dumps(result, ensure_ascii=only_ascii, indent=2, sort_keys=True) + "\n"
    return _coloured(text, _JSON_TOKEN) if colour and output == "jsonc" else text


def _yaml(result: Any, only_ascii: bool) -> str:
    import yaml

    # Through JSON: the YAML writer refuses the ordered mappings that a query makes.
    plain = json.loads(json.dumps(result))
    return str(yaml.safe_dump(plain, default_flow_style=False, allow_unicode=not only_ascii))


def _tsv(result: Any) -> str:
    items = result if isinstance(result, list) else [result]
    return "".join(_tsv_row(item) + "\n" for item in items)


def _tsv_row(item: Any) -> str:
    if isinstance(item, OrderedDict):
        return "\t".join(_tsv_cell(value) for value in item.values())
    if isinstance(item, Mapping):
        return "\t".join(_tsv_cell(item[key]) for key in sorted(item))
    if isinstance(item, list):
        return "\t".join(_tsv_cell(value) for value in item)
    if isinstance(item, bool):
        return str(item).lower()
    return _tsv_cell(item)


def _tsv_cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, Mapping):
        return ""
    return str(value)


def _table(result: Any, queried: bool) -> str:
    from tabulate import tabulate

    items = result if isinstance(result, list) else [result]
    rows = [_table_row(item, queried) for item in items]
    if not any(rows):
        return "" if not rows else "\n"
    return tabulate(rows, headers="keys", tablefmt="simple", disable_numparse=True) + "\n"


def _table_row(item: Any, queried: bool) -> dict[str, Any]:
    if isinstance(item, Mapping):
        keys = list(item) if queried else sorted(item)
        return {
            key[:1].upper() + key[1:]: item[key]
            for key in keys
            if key not in _HIDDEN_IN_TABLES
            and item[key] is not None
            and not isinstance(item[key], list | dict)
        }
    if isinstance(item, list):
        return {f"Column{number}": value for number, value in enumerate(item, start=1)}
    return {"Result": item}


_JSON_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)'
)
_YAML_TOKEN = re.compile(
    r"(?m)(?P<key>^\s*(?:- )*[^\s:#'\"-][^:\n]*(?=:(?:\s|$)))|(?P<word>\b(?:true|false|null)\b)"
)


def _coloured(text: str, token: "re.Pattern[str]") -> str:
    colours = {"key": _BLUE, "text": _GREEN, "word": _YELLOW}
    return token.sub(lambda match: f"{colours[str(match.lastgroup)]}{match.group()}{_END}", text)
