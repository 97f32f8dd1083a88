"""How large a request's body may be. Documents are read into memory, so that one without an end must not get in."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

# Bytes. A file that people write is 5 MB at most, and a document holds a few of them.
LARGEST_DOCUMENT = 32 * 1024 * 1024
_BLOBS = "/api/v1/blobs/"  # bytes on their way to the disk, which is their limit
_MESSAGE = f"the request's body is larger than {LARGEST_DOCUMENT // 1024**2} MB"

Scope = MutableMapping[str, Any]  # as ASGI has it
App = Callable[[Scope, Any, Any], Awaitable[None]]


class BodyLimit:
    """Refuses what says that it is too large, and stops reading what turns out to be."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_BLOBS):
            await self._app(scope, receive, send)
            return
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if said.isdigit() and int(said) > LARGEST_DOCUMENT:
            await _refuse(send)
            return
        taken = 0

        async def counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_DOCUMENT:
                raise HTTPException(413, _MESSAGE)
            return message

        await self._app(scope, counted, send)


async def _refuse(send: Any) -> None:
    record: dict[str, Any] = {"code": "TooLarge", "message": _MESSAGE, "details": [], "hint": None}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(record).encode()})
