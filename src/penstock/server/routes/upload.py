"""Uploads by digest."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect

from penstock.errors import PenstockError
from penstock.server.routes.request import Body, By, Here
from penstock.server.verbs import upload as verbs

router = APIRouter(tags=["upload"])

# Uploads that are written at the same time; further ones wait until one of these has ended.
_MOST_AT_ONCE = 64


class Digests(Body):
    """SHA-256 digests, 64 hexadecimal digits each."""

    digests: list[str]


@router.post("/blobs:missing")
def missing_blobs(here: Here, by: By, body: Digests) -> dict[str, list[str]]:
    """Which of these the server does not have."""
    return {"missing": verbs.missing(here, by, body.digests)}


@router.put("/blobs/{digest}", status_code=201)
async def put_blob(here: Here, by: By, digest: str, request: Request) -> dict[str, str]:
    """Keep the body's bytes under their digest."""
    try:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(_writers(), verbs.put, here, by, digest, _chunks_of(request, loop))
    except ClientDisconnect as error:  # nobody is there to read this, but the log says what happened
        raise PenstockError(f"the upload of {digest} was cut off") from error
    return {"digest": digest}


def _chunks_of(request: Request, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The body, for a thread that writes it: it asks the loop for one chunk after the other.

    One thread per upload and no queue: a slow disk slows the network down, and nothing waits for a second thread.
    """
    stream = request.stream()

    async def following() -> bytes:
        return await anext(stream, b"")

    while chunk := asyncio.run_coroutine_threadsafe(following(), loop).result():
        yield chunk


@cache
def _writers() -> ThreadPoolExecutor:
    """Threads of their own: uploads that trickle in must not take those that answer everything else."""
    return ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="upload")
