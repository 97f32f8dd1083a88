"""Answers that take long: lines of JSON, which tell how far it has come, and end the work once nobody reads them any more."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from fastapi.responses import StreamingResponse

from penstock.errors import PenstockError

# Any in this module: JSON.
Work = Callable[[Callable[[int], None], Callable[[], bool]], dict[str, Any]]
"""What is told the rows that were read, and asked whether the answer is still wanted; it returns the answer."""

_SIGN_OF_LIFE = 20.0
"""Seconds after which an empty line says that the work goes on: whoever reads, and what lies in between, gives up on silence."""
_AT_ONCE = 32
"""Works that are under way or wait for their turn, each in a thread. Further ones wait for one of these."""


def long_answer(work: Work, called: str) -> StreamingResponse:
    """`{"rows": n}` while `work` goes on, then `{called: …}` or `{"error": …}`; empty lines in between say nothing."""
    return StreamingResponse(_lines(work, called), media_type="application/x-ndjson")


async def _lines(work: Work, called: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    is_wanted = True

    def say(line: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(said.put_nowait, line)

    def run() -> None:
        try:
            say({called: work(lambda rows: say({"rows": rows}), lambda: is_wanted)})
        except PenstockError as error:
            say({"error": error.as_record()})

    # Threads of its own: the others answer requests, and must not wait for a table.
    working = loop.run_in_executor(_threads(), run)
    working.add_done_callback(lambda done: said.put_nowait(None))
    try:
        while True:
            try:
                line = await asyncio.wait_for(said.get(), _SIGN_OF_LIFE)
            except TimeoutError:
                yield b"\n"
                continue
            if line is None:
                break
            yield json.dumps(line).encode() + b"\n"
        await working  # a defect is raised here, and logged
    finally:
        is_wanted = False


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="long answer")
