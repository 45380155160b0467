"""Credit records: what cannot be one, what cannot become of one, and certificates that do not hold."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from anchors.errors.root import AnchorsError


class BadRecord(AnchorsError):
    """Root of what refuses a credit record or a change of one."""

    remedy: ClassVar[str] = "Put the record together again from the decision, by the rules of docs/CREDIT.md."


class UnknownMeasure(BadRecord):
    """A measure that the catalogue does not list."""

    remedy = "Name a measure of the catalogue in force; what no list has, no record may impose."

    def __init__(self, code: int, version: int) -> None:
        super().__init__(f"version {version} of the catalogue has no measure {code}")


class UnfitMeasure(BadRecord):
    """A measure of the catalogue that a record of this kind, severity or period cannot impose."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"measure {code} {why}")


class FutureDecision(BadRecord):
    """A decision of a day that has not come."""

    def __init__(self, decided: date, today: date) -> None:
        super().__init__(f"the decision is dated {decided}, and today is {today}")


class PeriodOutsideLaw(BadRecord):
    """A publication that would be shorter or longer than the law allows."""

    def __init__(self, last: date, earliest: date, latest: date) -> None:
        super().__init__(f"it would be published until {last}; the law allows {earliest} to {latest}")


class PublicationOver(BadRecord):
    """A record whose publication would be over before it began."""

    def __init__(self, last: date, today: date) -> None:
        super().__init__(f"its publication ends with {last}, and today is {today}")


class DatesOutOfOrder(BadRecord):
    """A publication that would end before the decision."""

    def __init__(self, decided: date, last: date) -> None:
        super().__init__(f"it would be published until {last}, before the decision of {decided}")


class NothingStated(BadRecord):
    """A record without the digest of its statement or of its decision."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the record has no digest of its {what}")


class MeasureMissing(BadRecord):
    """A record that imposes or grants nothing."""

    def __init__(self) -> None:
        super().__init__("the record names no measure")


class EarlierAhead(BadRecord):
    """A record that was drawn up after more than has happened."""

    remedy = "Draw the record up again over what has happened to the subject's records by now."

    def __init__(self, earlier: int, count: int) -> None:
        super().__init__(f"it was drawn up after {earlier} publications and changes, and its subject has {count}")


class UnpublishedRecord(BadRecord):
    """A change of a record that nobody published before it."""

    remedy = "Tell all that happened to the subject's records, in the order of the chain."

    def __init__(self, name: bytes) -> None:
        super().__init__(f"there is a change of the record 0x{name.hex()}, which was not published before it")


class AlreadyPublished(BadRecord):
    """A record that was published since it was drawn up."""

    remedy = "Nothing is left to do: look the record up by its name."

    def __init__(self, name: bytes) -> None:
        super().__init__(f"the record 0x{name.hex()} is published already")


class BadChange(AnchorsError):
    """Root of what refuses a change of a record."""

    remedy: ClassVar[str] = "Look at what the record is now, and at the rules of docs/CREDIT.md."


class IllegalChange(BadChange):
    """A state that does not follow from the one before."""

    def __init__(self, state: str, following: str) -> None:
        super().__init__(f"a record that is {state} does not become {following}")


class GroundsMissing(BadChange):
    """A change without the paper that it rests on."""

    def __init__(self, state: str) -> None:
        super().__init__(f"nothing becomes {state} without the digest of its grounds")


class PledgeMisplaced(BadChange):
    """A repair without a commitment letter, or a letter with another change."""

    def __init__(self, state: str) -> None:
        super().__init__(f"a commitment letter goes with every repair and with nothing else, and this is {state}")


class TooLate(BadChange):
    """An objection or a repair of a record that has expired."""

    def __init__(self, state: str, last: date) -> None:
        super().__init__(f"it ended with {last}, so it does not become {state} any more")


class NotRepairable(BadChange):
    """A repair of an honour."""

    def __init__(self) -> None:
        super().__init__("an honour is not repaired; one that should not be is withdrawn")


class RepairTooSoon(BadChange):
    """A repair before the least period of publication is over."""

    remedy = "Wait until that day is over in China."

    def __init__(self, least: date) -> None:
        super().__init__(f"it must be published until {least} at least")


class CorrectionTooFar(BadChange):
    """A change that alters more than a correction may."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is no correction: {why}")


class BadCertificate(AnchorsError):
    """Root of what refutes a credit certificate, beside what refutes its proofs, header and seals."""

    remedy: ClassVar[str] = "Get a new certificate, from another member if need be."


class TooManySubjects(BadCertificate):
    """A certificate about nobody, or about more companies than one may be."""

    remedy = "Ask for as many certificates as it takes, of fewer companies each."

    def __init__(self, count: int, most: int) -> None:
        super().__init__(f"a certificate is about 1 to {most} companies, and this would be about {count}")


class SubjectTwice(BadCertificate):
    """A certificate that tells of one company twice."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"the certificate is about {subject} twice")


class CertificateTooLarge(BadCertificate):
    """A certificate longer than any reader takes."""

    remedy = "Ask for a certificate of fewer companies."

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"the certificate would have {size} bytes, more than the {most} allowed")


class SubjectDiffers(BadCertificate):
    """A certificate about other companies than the one asked about."""

    def __init__(self, found: Sequence[str], asked: str) -> None:
        about = found[0] if len(found) == 1 else f"{len(found)} other companies"
        super().__init__(f"the certificate is about {about}, not about {asked}")


class ContractMissing(BadCertificate):
    """A contract of which the state has none, or another one, at its address."""

    def __init__(self, name: str, address: bytes, block: int) -> None:
        super().__init__(f"at block {block} there is no such {name} as the network file lists at 0x{address.hex()}")


class RecordLeftOut(BadCertificate):
    """A certificate that tells less than the state holds, or what it held before."""

    def __init__(self, subject: str, register: bytes, told: int, held: int) -> None:
        super().__init__(
            f"the register 0x{register.hex()} holds {held} publications and changes of {subject}, the certificate "
            f"tells of {told}: a record is left out, or it is stale"
        )


class RecordInvented(BadCertificate):
    """A certificate that tells more than the state holds."""

    def __init__(self, subject: str, register: bytes, told: int, held: int) -> None:
        super().__init__(
            f"the register 0x{register.hex()} holds {held} publications and changes of {subject}, the certificate "
            f"tells of {told}: a record is invented, or not yet in that block"
        )


class RecordsAltered(BadCertificate):
    """A certificate that tells as much as the state holds, but not the same."""

    def __init__(self, subject: str, register: bytes, count: int) -> None:
        super().__init__(
            f"the register 0x{register.hex()} holds {count} other publications and changes of {subject} than the "
            "certificate tells of: one is altered or swapped"
        )


class RegisterNotNamed(BadCertificate):
    """A register that the registry does not name."""

    def __init__(self, named: bytes, register: bytes) -> None:
        super().__init__(
            f"the registry names 0x{named.hex()} as the register, the certificate is of 0x{register.hex()}"
        )


class NeedlessNodes(BadCertificate):
    """A certificate with trie nodes that none of its proofs needs."""

    def __init__(self, count: int) -> None:
        super().__init__(f"the certificate has trie nodes that no proof needs: {count}")


class RegistersDiffer(BadCertificate):
    """A certificate that leaves out a register, or is of one that the network file does not list."""

    remedy = "Get a new certificate, or the newest network file from a member that you trust."

    def __init__(self, listed: list[bytes], found: list[bytes]) -> None:
        names = [", ".join("0x" + address.hex() for address in addresses) or "none" for addresses in (listed, found)]
        super().__init__(f"the network file lists the registers {names[0]}, the certificate is of {names[1]}")


class BadChoice(AnchorsError):
    """Root of what refuses a choice of which records to apply."""

    remedy: ClassVar[str] = "Look at what the member applies now, and at the rules of docs/CREDIT.md."


class OwnRecords(BadChoice):
    """A choice about the member's own records."""

    def __init__(self, member: int) -> None:
        super().__init__(f"member {member} always applies its own records")


class ReasonMissing(BadChoice):
    """A choice without a reason."""

    def __init__(self) -> None:
        super().__init__("the choice has no digest of its reason")


class ChoiceUnchanged(BadChoice):
    """A choice of what stands already."""

    def __init__(self, member: int, applied: bool) -> None:
        super().__init__(f"member {member} does{'' if applied else ' not'} apply these already")
