"""Credit records as entities of FollowTheMoney, the model in which OpenSanctions and others exchange such lists.

Promises entities that the model's schemata Company and Sanction take. A record of dishonesty is a Sanction of its
company; honours have no place in that model. A company is called by its identifier or, where nobody named it, by its
key: the register holds no names.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from anchors.credit import Catalogue, Kind, day_at
from anchors.subjects import USCC, Subject
from ledger_service.credit.lists.listed import Listed

__all__ = ["company", "sanction"]

_PROGRAMS: Final = {
    Kind.GENERAL: ("一般失信", "General dishonesty"),
    Kind.SERIOUS: ("严重失信", "Serious dishonesty"),
}
_DATASET: Final = "bidledger"
_NO_COUNTRY: Final = "X"  # begins the codes of org-id lists that are of no country: XI, XM, XR

Entity = dict[str, object]


def company(key: str, subject: Subject | None) -> Entity:
    """The Company of a subject.

    Args:
        key: the subject key, 0x hex.
        subject: who that is, where it is known.

    Source: FollowTheMoney 4, schemata Thing, LegalEntity, Organization, Company.
    """
    if subject is None:
        return _entity(_company_id(key), "Company", {"name": [key]})
    country = subject.scheme[:2].lower()
    properties = {"name": [str(subject)], "registrationNumber": [subject.identifier]}
    if not subject.scheme.startswith(_NO_COUNTRY):
        properties["jurisdiction"] = [country]
    if subject.scheme == USCC:
        properties["uscCode"] = [subject.identifier]
    return _entity(_company_id(key), "Company", properties)


def sanction(record: Listed, catalogue: Catalogue, names: Mapping[str, str], url: str) -> Entity | None:
    """The Sanction that a record of dishonesty is; None for an honour.

    Args:
        record: as the API lists it.
        catalogue: of the measures.
        names: of the members, by their codes.
        url: the API's address.

    Source: FollowTheMoney 4, schemata Interval, Sanction.
    """
    if record.kind not in _PROGRAMS:
        return None
    measures = [measure for measure in catalogue.measures if measure.code in record.measures]
    properties = {
        "entity": [_company_id(record.subject_key)],
        "authority": [names.get(record.member, record.member)],
        "country": ["cn"],
        "program": list(_PROGRAMS[record.kind]),
        "provisions": [text for measure in measures for text in (measure.zh, measure.en)],
        "reason": list(dict.fromkeys(basis.zh for measure in measures for basis in measure.basis)),
        "startDate": [record.decided_on.isoformat()],
        "endDate": [record.last_day.isoformat()],
        "listingDate": [day_at(record.published_at).isoformat()],
        "status": [record.state],
        "recordId": [record.record],
        "sourceUrl": [f"{url}/v1/credit/records/{record.record}"],
    }
    return _entity(f"{_DATASET}-record-{record.record[2:]}", "Sanction", properties)


def _company_id(key: str) -> str:
    return f"{_DATASET}-subject-{key[2:]}"


def _entity(name: str, schema: str, properties: Mapping[str, Sequence[str]]) -> Entity:
    caption = next((properties[part][0] for part in ("name", "program") if part in properties), name)
    filled = {part: values for part, values in properties.items() if values}
    return {"id": name, "caption": caption, "schema": schema, "datasets": [_DATASET], "properties": filled}
