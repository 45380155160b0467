"""An ASGI application behind a real uvicorn on the loopback interface, and a client of it."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from ledger_service import app as service
from ledger_service.chain.devnet import free_port
from ledger_service.errors import ServiceError
from ledger_service.openapi import PROBLEM_RESPONSE


def application(*routers: APIRouter) -> FastAPI:
    """Some routers alone, with the refusals of the service."""
    app = FastAPI(openapi_url="/v1/openapi.json", responses={"default": PROBLEM_RESPONSE})
    for router in routers:
        app.include_router(router)
    for refused in (ServiceError, RequestValidationError, HTTPException):
        app.add_exception_handler(refused, service._refuse)
    app.add_exception_handler(Exception, service._fail)
    return app


class PromptServer(uvicorn.Server):
    """Ends as soon as it is told to and nobody is served any more; uvicorn alone takes up to two tenths of a second."""

    async def main_loop(self) -> None:
        ticks = 0
        while not await self.on_tick(ticks // 10):  # whose every tenth, a second, renews the date
            ticks += 1
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for _ in range(10):
            if not self.server_state.connections and not self.server_state.tasks:
                return
            await asyncio.sleep(0.005)
        await super().shutdown(sockets)


@contextmanager
def serving(app: ASGIApp) -> Iterator[httpx.Client]:
    """Serve an application; the client of it, which knows where it is."""
    port = free_port()
    settings = uvicorn.Config(
        app,
        port=port,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,  # as the service has it
    )
    server = PromptServer(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            if time.monotonic() > deadline:
                raise RuntimeError("the server does not start")
            time.sleep(0.01)
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # is trusted; to load who usually is takes 30 ms
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, verify=nobody) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
