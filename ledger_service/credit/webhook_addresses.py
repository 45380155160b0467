"""Where webhooks may be sent, and how they are: never into the operator's own network because somebody's URL says so.

Promises that a URL is https, or http to this very machine; that all addresses its host has are public, or in networks
that the operator names; and that the address that was looked at is the one that is asked, at every attempt anew.
Answers are bounded in bytes and in time, redirects are not followed, and no proxy of the environment is used.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Self, TypeAlias

import httpx

from ledger_service.errors import InvalidContent, Misconfigured, ServiceError

__all__ = ["AddressRefused", "Answer", "NotDelivered", "Postman", "Reach"]

MAX_URL: Final = 2048
MAX_ANSWER_BYTES: Final = 64 << 10
TIMEOUT_SECONDS: Final = 10.0  # for an attempt as a whole

_VISIBLE = re.compile("[!-~]+")
_TRANSLATED: Final = ip_network("64:ff9b::/96")  # NAT64: an IPv4 address behind it may be of any network

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class AddressRefused(InvalidContent):
    """A URL that webhooks are not sent to."""

    problem, title = "webhook-address-refused", "Webhooks are not sent there"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, facts={"pointer": "/url"})


class NotDelivered(ServiceError):
    """A receiver gave no answer."""

    problem, title = "webhook-not-delivered", "A receiver of webhooks does not answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    status: int
    retry_after: int | None  # seconds


@dataclass(frozen=True, slots=True)
class Reach:
    """How far webhooks go: to public addresses, and to those of some networks."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> Self:
        """From networks such as `10.20.0.0/16`; raises Misconfigured where one is none."""
        try:
            return cls(tuple(ip_network(each) for each in networks))
        except ValueError as error:
            raise Misconfigured(f"BIDLEDGER_WEBHOOK_NETWORKS: {error}; a network is written 10.20.0.0/16") from error

    def addresses(self, text: str) -> tuple[httpx.URL, list[str]]:
        """Look up where a URL leads.

        Returns:
            The URL, and its host's addresses.

        Raises:
            AddressRefused: it is no such URL, its host has no address, or one that is not allowed.
        """
        url = _parsed(text)
        host = url.raw_host.decode("ascii")
        try:
            found = socket.getaddrinfo(host, url.port or None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AddressRefused(f"The host {host!r} has no address ({error}).") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for each in addresses:
            self._check(url, ip_address(each))
        return url, addresses

    def _check(self, url: httpx.URL, address: Address) -> None:
        plain = (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
        if url.scheme == "http" and not plain.is_loopback:
            raise AddressRefused("Take https; http is for this very machine alone.")
        if not _is_public(plain) and not any(plain in network for network in self.networks):
            raise AddressRefused(
                f"{address} is no public address, and in no network that the operator has allowed; take a public "
                "host, or ask the operator (BIDLEDGER_WEBHOOK_NETWORKS)."
            )


class Postman:
    """Posts to receivers, over connections that are kept as long as it is open (`async with`).

    Args:
        reach: where to.
        tls: whom to believe; None is whom the machine does.
        timeout: seconds for an attempt.
    """

    def __init__(self, reach: Reach, tls: ssl.SSLContext | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._reach = reach
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            verify=tls or ssl.create_default_context(), timeout=timeout, trust_env=False, follow_redirects=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def post(self, text: str, headers: dict[str, str], body: bytes) -> Answer:
        """Post a body to a URL; returns the answer, whatever its status.

        Raises:
            AddressRefused: the URL does not, or no longer, lead to where webhooks may go.
            NotDelivered: there is no answer in time.
        """
        answers: list[Answer] = []  # what came before the time was over counts
        try:
            async with asyncio.timeout(self._timeout):
                url, addresses = await asyncio.to_thread(self._reach.addresses, text)
                await self._post(url, addresses, headers, body, answers)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            if not answers:
                said = f"no answer within {self._timeout:g} s" if isinstance(error, TimeoutError) else str(error)
                raise NotDelivered(said or type(error).__name__) from error
        return answers[0]

    async def _post(
        self, url: httpx.URL, addresses: list[str], headers: dict[str, str], body: bytes, answers: list[Answer]
    ) -> None:
        for number, address in enumerate(addresses, start=1):
            request = self._http.build_request(
                "POST",
                url.copy_with(host=address),  # a name that is looked up again may lead elsewhere
                headers={**headers, "host": url.netloc.decode(), "accept-encoding": "identity"},
                content=body,
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            )
            try:
                answer = await self._http.send(request, stream=True)
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
                continue
            answers.append(Answer(answer.status_code, _retry_after(answer.headers.get("retry-after", ""))))
            await _read_away(answer)
            return


async def _read_away(answer: httpx.Response) -> None:
    """Read what a receiver says beside the status, so that its connection can be kept; no more than is polite."""
    length = 0
    try:
        async for chunk in answer.aiter_raw():
            length += len(chunk)
            if length > MAX_ANSWER_BYTES:
                break
    finally:
        with suppress(httpx.HTTPError):
            await answer.aclose()


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefused(f"This is no URL: {error}.") from error
    if len(text) > MAX_URL or not _VISIBLE.fullmatch(text) or url.scheme not in ("https", "http") or not host:
        raise AddressRefused(f"A receiver is https://host/..., at most {MAX_URL} visible ASCII characters.")
    if url.port is not None and not 0 < url.port < 65536:
        raise AddressRefused(f"There is no port {url.port}; take one from 1 to 65535, or none.")
    if url.userinfo or url.fragment or "@" in text.split("/")[2]:
        raise AddressRefused("A receiver's URL has neither credentials nor a fragment; messages are signed instead.")
    return url


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.sixtofour or address.teredo or address in _TRANSLATED):
        return False  # leads on to an IPv4 address of somebody's choice
    return address.is_global and not address.is_multicast and not address.is_reserved


def _retry_after(field: str) -> int | None:
    """In seconds; a date is not read."""
    return int(field) if re.fullmatch("[0-9]{1,9}", field) else None
