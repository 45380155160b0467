"""JSON-RPC to one node: single calls and batches, with bounded answers, deadlines, and errors that say what happened.

Nothing that comes back is believed here beyond its form: whoever asks holds headers, receipts and state against
hashes. A node that does not answer, or answers nonsense, is ChainUnreachable; one that answers "no" is ChainRefused,
with a contract's custom error spelt by its name.
"""

import ssl
from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias

import httpx
import orjson

from anchors.chain import answers
from anchors.errors import MalformedAnswer
from ledger_service.chain.contracts import explain_revert
from ledger_service.errors import ChainRefused, ChainUnreachable

Call: TypeAlias = tuple[str, Sequence[object]]

MAX_ANSWER_BYTES: Final = 128 << 20  # a batch of full blocks' receipts; the caller chooses how many it asks for
TIMEOUT_SECONDS: Final = 20.0


class Rpc:
    """One node's JSON-RPC address. Usable from several threads; `close` it, or use it in a `with` statement."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.url = url
        scheme, _, rest = url.partition("://")
        self.shown = f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}"  # what else is in it may be a secret
        # Environment proxies are for the web; the node is the operator's own.
        self._client = httpx.Client(timeout=timeout, trust_env=False, verify=_authorities())

    def call(self, method: str, *params: object) -> object:
        """Ask one thing.

        Returns:
            The `result`, as JSON values.

        Raises:
            ChainUnreachable: no answer, or not one of JSON-RPC.
            ChainRefused: the node answered with an error.
        """
        answer = self._post(_request(1, (method, params)))
        return self._result(method, answer)

    def batch(self, calls: Sequence[Call]) -> list[object]:
        """Ask several things in one request.

        Returns:
            The results in the order of `calls`; answers may come in any order.

        Raises:
            ChainUnreachable: no answer, not one of JSON-RPC, or one that is missing.
            ChainRefused: the node answered one of them with an error.
        """
        if not calls:
            return []
        answers = self._post([_request(number, call) for number, call in enumerate(calls, start=1)])
        if not isinstance(answers, list):
            # Some nodes answer a batch they refuse as a whole with one error object.
            self._result("batch", answers)
            raise ChainUnreachable(f"{self.shown} answers a batch with {type(answers).__name__}, not with a list")
        by_id = {_number(answer): answer for answer in answers}
        return [self._result(method, by_id.get(number)) for number, (method, _) in enumerate(calls, start=1)]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "Rpc":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, body: object) -> object:
        try:
            with self._client.stream(
                "POST", self.url, content=orjson.dumps(body), headers={"Content-Type": "application/json"}
            ) as response:
                content = self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChainUnreachable(
                f"no answer from the node at {self.shown} ({type(error).__name__}: {error}); is it running?",
                retry_after=5,
            ) from error
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise ChainUnreachable(
                f"{self.shown} answered HTTP {response.status_code} with something that is not JSON; is it a node?"
            ) from error

    def _read(self, response: httpx.Response) -> bytes:
        parts: list[bytes] = []
        length = 0
        for part in response.iter_bytes():
            length += len(part)
            if length > MAX_ANSWER_BYTES:
                raise ChainUnreachable(f"{self.shown} answered with more than {MAX_ANSWER_BYTES} bytes")
            parts.append(part)
        return b"".join(parts)

    def _result(self, method: str, answer: object) -> object:
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise ChainUnreachable(f"{self.shown} gave no JSON-RPC answer to {method}")
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        raise _refusal(method, error)


@cache
def _authorities() -> ssl.SSLContext:
    """Whom every client trusts; to load them takes 20 ms, which each client would do for itself."""
    return httpx.create_ssl_context(trust_env=False)


def hex_bytes(value: object, length: int | None = None) -> bytes:
    """Read a node's `0x` data.

    Args:
        value: what the node sent.
        length: how many bytes it must be, or None.

    Raises:
        ChainUnreachable: it is not hex of that length.
    """
    try:
        data = answers.data({"result": value}, "result")
    except MalformedAnswer as error:
        raise ChainUnreachable(f"the node sent {_shown(value)} where 0x data must be") from error
    if length is not None and len(data) != length:
        raise ChainUnreachable(f"the node sent {_shown(value)} where {length} bytes must be")
    return data


def quantity(value: object) -> int:
    """Read a node's `0x` number; raises ChainUnreachable when it is none of at most 256 bits."""
    try:
        return answers.quantity({"result": value}, "result")
    except MalformedAnswer as error:
        raise ChainUnreachable(f"the node sent {_shown(value)} where a 0x number must be") from error


def fields(value: object) -> dict[str, object]:
    """Read a node's JSON object; raises ChainUnreachable when it is none."""
    if isinstance(value, dict):
        return value
    raise ChainUnreachable(f"the node sent {_shown(value)} where an object must be")


def items(value: object) -> list[object]:
    """Read a node's JSON list; raises ChainUnreachable when it is none."""
    if isinstance(value, list):
        return value
    raise ChainUnreachable(f"the node sent {_shown(value)} where a list must be")


def _request(number: int, call: Call) -> dict[str, object]:
    """Numbers start at 1: ganache answers a refused call 0 without its number."""
    method, params = call
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _number(answer: object) -> int | None:
    """The number of the request that a part of a batch answers; a node may send anything for it."""
    number = answer.get("id") if isinstance(answer, dict) else None
    return number if isinstance(number, int) else None


def _refusal(method: str, error: object) -> ChainRefused:
    facts = error if isinstance(error, dict) else {}
    said, code = facts.get("message", error), facts.get("code")
    message = said[:500] if isinstance(said, str) else _shown(said)
    revert = _revert_data(facts.get("data"))
    if revert is None:
        known = {"code": code} if isinstance(code, int) else {}
        return ChainRefused(f"{method}: {message}", facts=known | {"message": message})
    name, sentence = explain_revert(revert)
    return ChainRefused(f"{method}: {sentence}", facts={"error": name, "revert": "0x" + revert.hex()})


def _revert_data(data: object) -> bytes | None:
    """What the contract returned: anvil sends it as it is, ganache inside an object when it estimated gas."""
    if isinstance(data, dict):
        data = data.get("result")
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None


def _shown(value: object) -> str:
    """A value for a message; of lists and objects only that they are, since they may be nested too deep to be shown."""
    return type(value).__name__ if isinstance(value, list | dict) else repr(value)[:80]
