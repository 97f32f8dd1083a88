"""Runs in an environment that has azure-ai-ml: what its loaders say about files.

Reads lines `kind<TAB>path` from stdin and writes, for each, a line of JSON: `{"path", "ok", "why"}`.
"""

import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import azure.ai.ml  # noqa: E402


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:1000]


def main() -> None:
    """One verdict a line, until stdin ends."""
    for line in sys.stdin:
        kind, path = line.rstrip("\n").split("\t")
        load = getattr(azure.ai.ml, f"load_{kind}")
        try:
            load(path)
            verdict = {"path": path, "ok": True, "why": ""}
        except Exception as error:  # whatever it raises is its refusal
            verdict = {"path": path, "ok": False, "why": _why(error)}
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
