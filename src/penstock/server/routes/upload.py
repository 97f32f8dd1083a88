"""Uploads by digest."""

import asyncio
import queue
from collections.abc import Iterator

from fastapi import APIRouter, Request

from penstock.server.routes.request import Body, By, Here
from penstock.server.verbs import upload as verbs

router = APIRouter(tags=["upload"])

# Chunks that may wait between the network and the disk: bounds the memory of an upload of any size.
_MOST_WAITING = 16


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
    chunks: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
    writing = asyncio.ensure_future(asyncio.to_thread(verbs.put, here, by, digest, _until_none(chunks)))
    try:
        async for chunk in request.stream():
            if writing.done():  # refused or failed: the rest is of no use
                break
            await asyncio.to_thread(_put_unless_done, chunks, chunk, writing)
    finally:
        await asyncio.to_thread(_put_unless_done, chunks, None, writing)
    await writing
    return {"digest": digest}


def _put_unless_done(
    chunks: "queue.Queue[bytes | None]", chunk: bytes | None, writing: "asyncio.Future[None]"
) -> None:
    while not writing.done():
        try:
            chunks.put(chunk, timeout=0.1)
        except queue.Full:
            continue
        return


def _until_none(chunks: "queue.Queue[bytes | None]") -> Iterator[bytes]:
    while (chunk := chunks.get()) is not None:
        yield chunk
