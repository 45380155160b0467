"""How outside eyes are asked, whoever they are: by HTTP, over a connection that is kept, with bounded answers."""

from typing import Final

import httpx

from ledger_service.errors import ServiceError

MAX_ANSWER_BYTES: Final = 64 << 10
_TIMEOUT: Final = 10.0  # seconds


class NoAnswer(ServiceError):
    """Whoever was asked does not answer, or not within bounds."""

    problem, title, status = "no-answer", "Somebody outside does not answer", 503


class Door:
    """One address to ask at, over a connection that is kept.

    Args:
        url: where requests are posted.
        media_type: of what is posted.
    """

    def __init__(self, url: str, media_type: str) -> None:
        self.url = url
        self._http = httpx.Client(timeout=_TIMEOUT, headers={"content-type": media_type, "accept-encoding": "identity"})

    def ask(self, body: bytes) -> httpx.Response:
        """Post a body; returns the answer, whatever its status.

        Raises:
            NoAnswer: there is none, or a longer one than is read.
        """
        content = b""
        try:
            with self._http.stream("POST", self.url, content=body) as answer:
                for chunk in answer.iter_raw():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise NoAnswer(f"{self.url} answers more than {MAX_ANSWER_BYTES} bytes.")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{self.url} does not answer ({error or type(error).__name__}).") from error
        headers = {"content-type": answer.headers.get("content-type", "")}
        return httpx.Response(answer.status_code, headers=headers, content=content)
