"""What an answer of `/opened` proves to whoever has it: the page leads to the root in the opening whose hash is the
manifest. That this is the tender's manifest is in the event `BidsOpened`, for the reader to hold it against."""

from collections.abc import Mapping
from typing import Any

from anchors.errors import AnchorsError
from anchors.tenders import Bid, OpenedList, Opening, Page, find_bid
from ledger_service.errors import InvalidContent

__all__ = ["prove_opened"]


def prove_opened(told: Mapping[str, Any], tender: str, commitment: str) -> Bid | None:
    """Prove that a bid was opened, or that it was not.

    Args:
        told: the answer.
        tender, commitment: what was asked about, 0x-hex.

    Returns:
        The bid's entry; None: it is not on the list.

    Raises:
        InvalidContent: the answer proves nothing.
    """
    try:
        given, shown = told["opening"], told["page"]
        tender_word, root, refusals, record = (_bytes(given[name]) for name in ("tender", "root", "refusals", "record"))
        opening = Opening(tender_word, root, given["count"], refusals, record)
        page = Page(shown["number"], _bytes(shown["entries"]), tuple(_bytes(node) for node in shown["path"]))
        if tender_word != _bytes(tender) or opening.struct_hash() != _bytes(told["manifest"]):
            raise InvalidContent("The answer is about another opening than its manifest names.")
        return find_bid(OpenedList(root, opening.count), page, _bytes(commitment))
    except AnchorsError as error:
        raise InvalidContent(f"The answer proves nothing: {error.diagnostics()}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidContent(f"The answer cannot be read ({type(error).__name__}).") from error


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
