"""What the register keeps of a tender in its storage, held against what its events come to.

Promises the slots to ask a node for, and that the state, the counts and the last act of each kind are those told. So no
amendment, closing, opening, evaluation, list of candidates or ending is left out, nor an objection that waits, nor what
became of a told one or of a told claim. What the storage does not count it cannot show: objections that were ruled on
without a new evaluation, and claims.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from anchors.chain.keccak import keccak256
from anchors.errors import LifeDiffers
from anchors.tenders.acts import NO_TENDER
from anchors.tenders.audit.story import Story
from anchors.tenders.life import State

__all__ = ["audit_slots", "check_state", "told_slots"]

# The contract's storage, see its artifact; the words of a tender are drawn in ITenderRegister.Tender.
_TENDERS, _OBJECTIONS, _CLAIMS = (number.to_bytes(32, "big") for number in (3, 4, 5))
_TENDER_WORDS: Final = 8
_WORDS: Final = ("members", "manifest", "last evaluation", "sealed panel", "last list of candidates")
_FIRST: Final = (
    ("host", 16),
    ("state", 8),
    ("version", 16),
    ("round", 16),
    ("number of objections that wait", 16),
    ("time for answers", 16),
    ("deadline", 64),
    ("opening time", 64),
)


def audit_slots(tender: bytes, grounds: Sequence[bytes] = (), commitments: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """The slots, 32 bytes each, whose proofs an audit needs.

    Args:
        tender: its name.
        grounds: of the objections that are told.
        commitments: of the claims that are told.
    """
    return (
        *_following(keccak256(tender + _TENDERS), _TENDER_WORDS),
        *(slot for each in grounds for slot in _following(keccak256(each + keccak256(tender + _OBJECTIONS)), 2)),
        *(keccak256(each + keccak256(tender + _CLAIMS)) for each in commitments),
    )


def told_slots(story: Story) -> tuple[bytes, ...]:
    """The slots of what a story tells."""
    return audit_slots(story.name, tuple(story.objections), tuple(story.claims))


def check_state(story: Story, words: Sequence[bytes]) -> State:
    """Hold a story against the proven words of `told_slots`.

    Returns:
        The state in which the register has the tender: a failed one may be replaced by another since.

    Raises:
        LifeDiffers: something that the storage shows is not told, or told otherwise.
    """
    numbers = [int.from_bytes(word, "big") for word in words]
    state = _check_first(story, numbers[0])
    closed = story.closed
    log = (int.from_bytes(closed.log, "big"), closed.generation, closed.size) if closed else (0, 0, 0)
    _compare("the size of the log at the closing", log[0] | log[1] << 160 | log[2] << 192, numbers[1])
    named = next((each.named for each in reversed(story.rounds) if each.named), None)
    _compare(
        "the block of the closing, or the candidates' time", _second(story, named.until if named else 0), numbers[2]
    )
    last = story.rounds[-1].evaluated if story.rounds else None
    told = (
        story.published.notice.members.to_bytes(32, "big"),
        story.opened.manifest if story.opened else NO_TENDER,
        last.evaluation if last else NO_TENDER,
        last.panel if last else NO_TENDER,
        named.candidates if named else NO_TENDER,
    )
    for name, one, kept in zip(_WORDS, told, words[3:_TENDER_WORDS], strict=True):
        _compare(f"the {name}", "0x" + one.hex(), "0x" + kept.hex())
    _check_mappings(story, iter(words[_TENDER_WORDS:]))
    return state


def _check_first(story: Story, word: int) -> State:
    notice = story.published.notice
    state = story.state
    if state is State.FAILED and word >> 16 & 0xFF == State.RETENDERED:
        state = State.RETENDERED
    told = (
        notice.host,
        int(state),
        len(story.amendments) + 1,
        len(story.rounds),
        len(story.waiting),
        notice.answer_days,
        story.deadline,
        story.opening,
    )
    for (name, bits), one in zip(_FIRST, told, strict=True):
        _compare(f"the {name}", one, word & (1 << bits) - 1)
        word >>= bits
    return state


def _second(story: Story, until: int) -> int:
    return story.closed_in | until << 64


def _check_mappings(story: Story, words: Iterator[bytes]) -> None:
    for grounds, objection in story.objections.items():
        _compare(f"what objection 0x{grounds.hex()} is to", objection.made.candidates.hex(), next(words).hex())
        _compare(f"whether objection 0x{grounds.hex()} waits", int(objection.ruled is None), _number(next(words)))
    for commitment, claim in story.claims.items():
        answer = story.answers.get(commitment)
        told = claim.answer_by | claim.late << 64 | (int(answer.answer) if answer else 0) << 72
        _compare(f"the claim of 0x{commitment.hex()}", told, _number(next(words)))


def _number(word: bytes) -> int:
    return int.from_bytes(word, "big")


def _following(slot: bytes, count: int) -> list[bytes]:
    first = int.from_bytes(slot, "big")
    return [((first + at) % (1 << 256)).to_bytes(32, "big") for at in range(count)]


def _compare(what: str, told: object, kept: object) -> None:
    if told != kept:
        raise LifeDiffers(what, told, kept)
