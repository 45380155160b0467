"""Has the log's checkpoints cosigned: each of them, in order, by one witness of the policy; each witness has its own.

How far a witness is follows from the cosignatures that were kept, and where that is not what the witness says, from
its word, if it can be true. Nothing is kept that does not verify. A witness that fails stands in the conditions, and
nobody waits for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from anchors.errors import AnchorsError
from anchors.notes import Policy, SignatureLine, SignedNote, Verifier
from anchors.notes.policy import MAX_POLICY_BYTES
from ledger_service import conditions
from ledger_service.errors import Misconfigured, ServiceError
from ledger_service.log.reader import LogReader
from ledger_service.log.tables import Checkpoint
from ledger_service.witness.asking import Door
from ledger_service.witness.kept import Kept
from ledger_service.witness.protocol import SIZE_MEDIA_TYPE, Submission, read_lines, read_size

PARTS: Final = "witness "  # how the parts of witnesses begin in the conditions
_REFUSALS: Final = {
    403: "does not trust the log's key: give its operator the key in force",
    404: "does not know the log: give its operator the log's origin and key",
    422: "says that the checkpoint does not continue what it cosigned before: keep its last one, and compare",
}

_URL = re.compile(r"https?://[!-~]+")


class WitnessRefuses(ServiceError):
    """A witness does not cosign."""

    problem, title, status = "witness-refuses", "A witness does not cosign", 503


class WitnessLies(ServiceError):
    """A witness's answer is disproven, or breaks its format."""

    problem, title, status = "witness-lies", "A witness's answer cannot be", 502


class WitnessAhead(ServiceError):
    """A witness has cosigned more of the log than the log has."""

    problem, title, status = "witness-ahead", "The log is behind its witness", 503


@dataclass(frozen=True, slots=True)
class Place:
    """Where the policy's witnesses are asked; one address may cosign by several of its keys."""

    name: str  # the policy's names for them
    url: str  # the submission prefix
    verifiers: tuple[Verifier, ...]


def read_policy(path: Path) -> Policy:
    """Read the policy file of the settings; raises Misconfigured."""
    try:
        with path.open("rb") as file:
            return Policy.parse(file.read(MAX_POLICY_BYTES + 1))
    except OSError as error:
        raise Misconfigured(f"BIDLEDGER_WITNESS_POLICY_FILE {path}: {error.strerror}") from error
    except AnchorsError as error:
        raise Misconfigured(f"BIDLEDGER_WITNESS_POLICY_FILE {path}: {error.diagnostics()}") from error


def places(policy: Policy) -> list[Place]:
    """The addresses of the policy's witnesses, in its order; a witness without one is not asked.

    Raises:
        Misconfigured: an address is none.
    """
    found: dict[str, Place] = {}
    for name, witness in policy.witnesses.items():
        if witness.url is not None:
            if not _URL.fullmatch(witness.url):
                raise Misconfigured(
                    f"The witness {name!r} of the policy has the address {witness.url!r}; it takes http(s)://"
                )
            url = witness.url.rstrip("/")
            before = found.get(url)
            names, keys = (f"{before.name}, ", before.verifiers) if before else ("", ())
            found[url] = Place(names + ascii(name)[1:-1], url, (*keys, witness.verifier))
    return list(found.values())


class Cosigning:
    """Asks one place.

    Args:
        engine: the database.
        reader: the log.
        kept: where its cosignatures are kept.
        place: whom to ask.
        clock: the time for what is reported; aware, UTC.
    """

    def __init__(
        self, engine: Engine, reader: LogReader, kept: Kept, place: Place, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._kept = kept
        self._place = place
        self._clock = clock
        self._door = Door(f"{place.url}/add-checkpoint", "text/plain; charset=utf-8")
        self._size: int | None = None  # what the witness has cosigned, as far as is known

    def step(self) -> None:
        """Have every checkpoint cosigned that is not yet.

        Raises:
            ServiceError: what went wrong; it stands in the conditions until a later step says otherwise.
        """
        with conditions.told(self._engine, PARTS + self._place.name, self._clock):
            if self._size is None:
                self._size = self._kept.last_cosigned(self._place.verifiers)
            for checkpoint in self._kept.unseen(self._size):
                if checkpoint.size > self._size:  # a witness that was further than was known has led further, too
                    self._cosign(checkpoint, self._size)

    def _cosign(self, checkpoint: Checkpoint, old_size: int) -> None:
        """Have a checkpoint cosigned, or the one at which the witness really is."""
        lines = self._ask(checkpoint, old_size)
        if isinstance(lines, int):
            told, checkpoint = lines, self._checkpoint_from(lines, old_size)
            lines = self._ask(checkpoint, told)
            if isinstance(lines, int):
                raise WitnessLies(f"{self._place.url} said that it has {told} leaves, and then that it has {lines}.")
        self._kept.keep_cosignatures(checkpoint.size, lines)
        self._size = checkpoint.size
        missing = {(one.name, one.key_id) for one in self._place.verifiers} - {(one.name, one.key_id) for one in lines}
        if missing:
            names = ", ".join(f"{name}+{key_id.hex()}" for name, key_id in sorted(missing))
            raise WitnessRefuses(f"{self._place.url} does not cosign by the key {names}, which the policy lists.")

    def _checkpoint_from(self, told: int, known: int) -> Checkpoint:
        """The smallest checkpoint that continues what the witness says it has."""
        if told < known:
            raise WitnessLies(
                f"{self._place.url} cosigned {known} leaves and now says that it has {told}: it has lost its memory "
                "and vouches for nothing any more. Have it take a new key, and write that into the policy."
            )
        checkpoint = self._kept.continuing(told)
        if checkpoint is None:
            raise WitnessAhead(
                f"{self._place.url} has cosigned {told} leaves, which is more than this log has: its database must be "
                "older. A log is never rolled back: restore a newer copy, or open the next generation."
            )
        return checkpoint

    def _ask(self, checkpoint: Checkpoint, old_size: int) -> tuple[SignatureLine, ...] | int:
        """The witness's verified cosignatures, or the size that it says it has."""
        note = SignedNote.parse(checkpoint.note)  # signed by the log alone: witnesses bound what they read
        proof = self._reader.consistency(old_size, checkpoint.size) if 0 < old_size < checkpoint.size else []
        answer = self._door.ask(Submission(old_size, tuple(proof), note).encode())
        try:
            if answer.status_code == 409 and answer.headers["content-type"].startswith(SIZE_MEDIA_TYPE):
                return read_size(answer.content)
            if answer.status_code == 200:
                return self._verified(note.text, answer.content)
        except AnchorsError as error:
            raise WitnessLies(f"{self._place.url} answered with what cannot be: {error}.") from error
        said = _REFUSALS.get(answer.status_code, f"answered {answer.status_code}: {answer.content[:200]!r}")
        raise WitnessRefuses(f"{self._place.url} {said}.")

    def _verified(self, text: str, body: bytes) -> tuple[SignatureLine, ...]:
        note = read_lines(text, body)
        known = {(one.verifier.name, one.verifier.key_id): one.time for one in note.verify(self._place.verifiers)}
        if 0 in known.values():
            raise WitnessLies(f"{self._place.url} does not say when it cosigned.")
        return tuple(line for line in note.signatures if (line.name, line.key_id) in known)
