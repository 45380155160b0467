"""A connection to a member's API: bounded answers, and the API's refusals as our own errors.

What the API answers is data to be proven or shown; here only its form is checked. The API key comes from a file and
goes nowhere but to the address that was given.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
import orjson

from ledger_service import errors
from ledger_service.errors import ServiceError

MAX_ANSWER_BYTES: Final = 8 << 20
MAX_PAGE: Final = 1000  # entries, of any list
MAX_PAGES: Final = 100_000


class Connection:
    """One connection to a member's API; threads may share it.

    Args:
        url: the API's address, without a path.
        api_key_file: file whose first line is the API key, or None to ask without one.

    Raises:
        KeyTrouble: the file cannot be read.
    """

    def __init__(self, url: str, api_key_file: Path | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {_read_key(api_key_file)}"} if api_key_file else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=60.0)
        except httpx.InvalidURL as error:
            raise errors.BadRequest(f"{url} is no address of an API: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, method: str, path: str, most_bytes: int = MAX_ANSWER_BYTES, **request: Any) -> httpx.Response:
        """Ask, and read the whole answer.

        Args:
            method: of HTTP.
            path: of the route.
            most_bytes: what an answer may have.
            request: what httpx takes beside these.

        Raises:
            ServiceError: the API's refusal, or Unavailable where nobody answers, or too much.
        """
        body = bytearray()
        try:
            with self._http.stream(method, path, **request) as answer:
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > most_bytes:
                        raise errors.Unavailable(f"{self.url}{path} answers more than {most_bytes} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise errors.Unavailable(f"{self.url} does not answer ({error}); is the service running?") from error
        whole = httpx.Response(answer.status_code, headers=_without_coding(answer.headers), content=bytes(body))
        if whole.is_success:
            return whole
        raise self._problem(whole)

    def ask_json(self, method: str, path: str, most_bytes: int = MAX_ANSWER_BYTES, **request: Any) -> dict[str, Any]:
        """Ask as `ask` does for what must be a JSON object."""
        return self.mapping(self.ask(method, path, most_bytes, **request))

    def pages(self, path: str, member: str, query: dict[str, str | int]) -> Iterator[dict[str, Any]]:
        """Go through all pages of a list.

        Args:
            path: of its first page.
            member: the name under which a page has its entries.
            query: parameters of the first page; those of the others come with the page before.

        Returns:
            The entries, in their order.

        Raises:
            ServiceError: as `ask` says; Unavailable also where a page is no page, or names one elsewhere.
        """
        answer = self.ask("GET", path, params=query)
        for _ in range(MAX_PAGES):
            entries = self.mapping(answer).get(member)
            if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                raise errors.Unavailable(f"{self.url}{path} answered something other than {member}")
            yield from entries
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            if following.partition("?")[0] != path:
                raise errors.Unavailable(f"{self.url}{path} names a next page that is elsewhere")
            answer = self.ask("GET", following)
        raise errors.Unavailable(f"{self.url}{path} has more than {MAX_PAGES} pages")

    def mapping(self, answer: httpx.Response) -> dict[str, Any]:
        """The JSON object that an answer is; raises Unavailable where it is none."""
        try:
            document = orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise errors.Unavailable(
                f"{self.url} answered {answer.status_code} and no JSON object; is it a bidledger API?"
            )
        return document

    def _problem(self, answer: httpx.Response) -> ServiceError:
        """The API's problem document as the error of its type, with its own type where it is none of ours."""
        document = self.mapping(answer)
        name = str(document.get("type", "")).rpartition(":")[2]
        kinds = {kind.problem: kind for kind in ServiceError.__subclasses__()}
        kind = kinds.get(name) or (errors.InvalidContent if answer.is_client_error else errors.Unavailable)
        retry_after = answer.headers.get("Retry-After", "")
        facts = {key: value for key, value in document.items() if key not in ("type", "title", "status", "detail")}
        problem = kind(
            f"{document.get('detail', document.get('title', answer.status_code))}",
            facts=facts,
            retry_after=int(retry_after) if retry_after.isdecimal() else None,
        )
        if name and name not in kinds:
            problem.problem = name  # type: ignore[misc]  # such as period-outside-law: the rule that refused
        return problem


def _without_coding(headers: httpx.Headers) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name.lower() not in ("content-encoding", "content-length")
    }


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.KeyTrouble(
            f"{path}: the API key cannot be read ({error}); name a text file that holds it"
        ) from error
