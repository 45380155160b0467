"""Which witnesses must have cosigned a checkpoint: `tlog-policy` files, read strictly, and the proof of their quorum.

Names are the file's own and mean nothing outside it; keys are what counts. That a log is the right one is for the
caller to prove, but where the policy lists logs, it must be among them.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from anchors.errors import LogNotInPolicy, MalformedPolicy, MalformedText, QuorumMissed
from anchors.notes.encoding import decode_decimal
from anchors.notes.keys import KeyType, Verifier
from anchors.notes.signed_note import SignedNote, open_checkpoint

__all__ = ["MAX_POLICY_BYTES", "Group", "Policy", "PolicyKey", "Witnessed", "prove_quorum"]

MAX_POLICY_BYTES: Final = 1 << 20  # 100 witnesses, what a note has room for, with keys of type 06 are 200 kB

_NONE: Final = "none"
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_OPAQUE = re.compile("[\udc80-\udcff]")  # octets that are no UTF-8, as they are decoded here
_LOG_TYPES: Final = (KeyType.ED25519, KeyType.COSIGNATURE_MLDSA44)
_WITNESS_TYPES: Final = (KeyType.COSIGNATURE_ED25519, KeyType.COSIGNATURE_MLDSA44)


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """A log or a witness, and where to reach it."""

    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses, if at least so many of its members, witnesses or groups, do."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a `tlog-policy` file says. A name is never of a witness and a group."""

    logs: tuple[PolicyKey, ...]
    witnesses: Mapping[str, PolicyKey]
    groups: Mapping[str, Group]  # each after those that it names
    quorum: str | None  # a witness or a group; None needs no cosignature

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file.

        Raises:
            MalformedPolicy: a line breaks the format, a name or key comes twice or a name before it is defined, or
                there is not exactly one quorum. The error tells the line.

        Source: C2SP tlog-policy.
        """
        if len(data) > MAX_POLICY_BYTES:
            raise MalformedPolicy(1, f"more than {MAX_POLICY_BYTES} bytes")
        reader = _Reader()
        for line in data.split(b"\n"):
            reader.read(line)
        if reader.quorum is None:
            raise MalformedPolicy(reader.line, "the file ends without a quorum")
        quorum = None if reader.quorum == _NONE else reader.quorum
        return cls(tuple(reader.logs), reader.witnesses, reader.groups, quorum)

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys of all witnesses."""
        return tuple(witness.verifier for witness in self.witnesses.values())

    def lists(self, log: Verifier) -> bool:
        """Whether it accepts this log; one that lists none leaves that to whoever knows the log otherwise."""
        return not self.logs or log in (listed.verifier for listed in self.logs)

    def witnessing(self, cosigners: Collection[Verifier]) -> set[str]:
        """The names of the witnesses and groups that witness what these keys cosigned."""
        names = {name for name, witness in self.witnesses.items() if witness.verifier in cosigners}
        for name, group in self.groups.items():
            if sum(member in names for member in group.members) >= group.threshold:
                names.add(name)
        return names


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The proven fact that a checkpoint's cosignatures reach a policy's quorum."""

    cosigners: Mapping[str, int]  # by the policy's names, in its order: when they signed, POSIX seconds


def prove_quorum(policy: Policy, note: SignedNote, log: Verifier) -> Witnessed:
    """Prove that a policy's quorum cosigned the checkpoint that the note holds.

    Args:
        policy: whom the reader trusts, and how many of them.
        note: the signed checkpoint.
        log: the log's key.

    Returns:
        All of the policy's witnesses that cosigned.

    Raises:
        LogNotInPolicy: the policy lists logs, and not this one.
        BadNoteSignature: the log's signature or that of any of the policy's witnesses does not verify.
        QuorumMissed: those that cosigned are too few.
        MalformedText: the note holds no checkpoint.

    Source: C2SP tlog-policy.
    """
    if not policy.lists(log):
        raise LogNotInPolicy(log.name)
    opened = open_checkpoint(note, log, policy.verifiers)
    times = {signature.verifier: signature.time or 0 for signature in opened.cosignatures}
    if policy.quorum is not None and policy.quorum not in policy.witnessing(times):
        have = [name for name, witness in policy.witnesses.items() if witness.verifier in times]
        raise QuorumMissed(policy.quorum, have, len(policy.witnesses))
    return Witnessed({name: times[one.verifier] for name, one in policy.witnesses.items() if one.verifier in times})


class _Reader:
    """The lines read so far."""

    def __init__(self) -> None:
        self.line = 0
        self.logs: list[PolicyKey] = []
        self.witnesses: dict[str, PolicyKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()  # of any group

    def read(self, line: bytes) -> None:
        """Take one line, without its newline."""
        self.line += 1
        self._need(_ALLOWED.fullmatch(line) is not None, "a control character")
        # What is not ASCII is opaque: any octets can name a witness.
        match re.split("[ \t]+", line.decode(errors="surrogateescape").strip(" \t")):
            case [word, *_] if not word or word.startswith("#"):
                pass
            case ["log", vkey] | ["log", vkey, _] as words:
                self.logs.append(self._key(vkey, _LOG_TYPES, self.logs, *words[2:]))
            case ["witness", name, vkey] | ["witness", name, vkey, _] as words:
                self._need(self._is_new(name), f"{name!r}, which is defined already")
                self.witnesses[name] = self._key(vkey, _WITNESS_TYPES, self.witnesses.values(), *words[3:])
            case ["group", name, threshold, *members] if members:
                self._need(self._is_new(name), f"{name!r}, which is defined already")
                self.groups[name] = self._group(threshold, members)
            case ["quorum", name]:
                self._need(self.quorum is None, "a second quorum")
                self._need(name == _NONE or not self._is_new(name), f"{name!r}, which no line before defines")
                self.quorum = name
            case [word, *_]:
                self._need(False, f"{word[:80]!r}, which begins no line of so many words")

    def _is_new(self, name: str) -> bool:
        return name != _NONE and name not in self.witnesses and name not in self.groups

    def _key(
        self, vkey: str, types: tuple[KeyType, ...], others: Iterable[PolicyKey], url: str | None = None
    ) -> PolicyKey:
        self._need(_OPAQUE.search(vkey) is None, "a key whose name is not UTF-8")
        try:
            verifier = Verifier.parse(vkey)
        except MalformedText as error:
            raise MalformedPolicy(self.line, f"a malformed key: {error}") from error
        self._need(verifier.type in types, f"a key of type {verifier.type:02x}, which signs nothing of this kind")
        listed = (other.verifier.public_key for other in others)
        self._need(verifier.public_key not in listed, "a key that a line before has, be it under another name")
        return PolicyKey(verifier, url)

    def _group(self, threshold: str, members: list[str]) -> Group:
        for member in members:
            self._need(member in self.witnesses or member in self.groups, f"{member!r}, which no line before defines")
            self._need(member not in self._members, f"{member!r}, which is a member already")
            self._members.add(member)
        words = {"all": len(members), "any": 1}
        try:
            least = words[threshold] if threshold in words else decode_decimal(threshold, len(members))
        except MalformedText as error:
            raise MalformedPolicy(self.line, f"a threshold that is none of its {len(members)} members") from error
        self._need(least > 0, "a threshold of 0")
        return Group(least, tuple(members))

    def _need(self, holds: bool, what: str) -> None:
        if not holds:
            raise MalformedPolicy(self.line, what)
