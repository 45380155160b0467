"""Reads the bodies of requests to the bare routes: bounded before anything is made of them."""

from ledger_service.errors import BadRequest, TooLarge
from ledger_service.problems import Receive


async def read_body(receive: Receive, declared: str, limit: int) -> bytes:
    """Read a whole body.

    Args:
        receive: ASGI's.
        declared: the field Content-Length, empty where there is none.
        limit: the most bytes that are read.

    Raises:
        TooLarge: it is longer, or says so.
        BadRequest: the connection ended within it.
    """
    too_large = TooLarge(f"The body may have {limit:,} bytes; send less at a time.")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection ended before the body did.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large
        if not message.get("more_body", False):
            return body
