"""The REST API as one ASGI application. Who is calling was found out before: it is in the request's scope."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import penstock
from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.server.body_limit import BodyLimit
from penstock.server.platform import Platform
from penstock.server.routes import (
    access,
    asset,
    component,
    compute,
    data_validation,
    datastore,
    housekeeping,
    job,
    model,
    profile,
    registry,
    share,
    upload,
    workspace,
)

_log = logging.getLogger(__name__)


def build_api(platform: Platform) -> FastAPI:
    """The application; `platform` is what its verbs work on."""
    api = FastAPI(
        title="Penstock",
        version=penstock.__version__,
        summary="Azure ML v2 projects where you are.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the pages of FastAPI's own load scripts from elsewhere
        redoc_url=None,
    )
    api.state.platform = platform
    api.add_middleware(BodyLimit)
    for room in (
        housekeeping,
        access,
        upload,
        workspace,
        registry,
        compute,
        datastore,
        job,
        model,
        component,
        profile,
        data_validation,
        asset,
        share,
    ):
        api.include_router(room.router, prefix="/api/v1")
    api.add_exception_handler(PenstockError, _penstock_error)
    api.add_exception_handler(RequestValidationError, _request_error)
    api.add_exception_handler(HTTPException, _http_error)
    api.add_exception_handler(UnicodeEncodeError, _no_text)
    api.add_exception_handler(Exception, _defect)
    return api


async def _penstock_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PenstockError)
    return JSONResponse(error.as_record(), status_code=error.status)


async def _request_error(_: Request, error: Exception) -> JSONResponse:
    """A request whose shape is wrong, in our own words and shape."""
    assert isinstance(error, RequestValidationError)
    problems = [
        Problem("/" + "/".join(str(part) for part in each["loc"]), str(each["msg"]), code="invalid")
        for each in error.errors()
    ]
    refused = InvalidDocument(problems, "the request is not of the form that the API describes")
    return JSONResponse(refused.as_record(), status_code=refused.status)


async def _no_text(request: Request, error: Exception) -> JSONResponse:
    """JSON can spell what no text holds (`"\\ud800"`), and so can a YAML file; nothing of the request was kept."""
    if not isinstance(error, UnicodeEncodeError) or error.reason != "surrogates not allowed":
        return await _defect(request, error)
    found = ascii(error.object[max(error.start - 10, 0) : error.end + 10])
    refused = PenstockError(f"{found} holds half a character, which is no text", hint="write it in UTF-8")
    return JSONResponse(refused.as_record(), status_code=refused.status)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself, in our shape and with what was asked for."""
    assert isinstance(error, HTTPException)
    asked = f"{request.method} {request.url.path}"
    code, message = {
        404: ("ResourceNotFound", f"there is nothing at {asked}"),
        405: ("MethodNotAllowed", f"{asked} is no request that this server knows"),
        413: ("TooLarge", str(error.detail)),
    }.get(error.status_code, ("HttpError", f"{asked}: {error.detail}"))
    hint = "the API describes itself at /api/v1/openapi.json" if error.status_code in (404, 405) else None
    record: dict[str, Any] = {"code": code, "message": message, "details": [], "hint": hint}
    return JSONResponse(record, status_code=error.status_code, headers=error.headers)


async def _defect(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    hint = "see `penstock server logs`; please report it"
    record = PenstockError(f"internal error: {type(error).__name__}: {error}", hint=hint).as_record()
    return JSONResponse({**record, "code": "InternalError"}, status_code=500)
