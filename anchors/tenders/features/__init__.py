"""Feature codes (特征码): which bids come from one machine, file, licence or network, with nobody reading the codes.

`codes` is how a code is written and taken under the tender's key, `records` what is sealed for a bid and opened after
the opening, `leads` which codes bids of different bidders share. What follows from a lead is for a person to say.
"""

from anchors.tenders.features.codes import Code, CodeKind, FeatureKey, read_code
from anchors.tenders.features.leads import CAUTION, Compared, Lead, Sharer, compared, leads
from anchors.tenders.features.records import FORMAT, FeatureRecord, OpenedRecord, SealedRecord, open_record, seal_record

__all__ = [
    "CAUTION",
    "FORMAT",
    "Code",
    "CodeKind",
    "Compared",
    "FeatureKey",
    "FeatureRecord",
    "Lead",
    "OpenedRecord",
    "SealedRecord",
    "Sharer",
    "compared",
    "leads",
    "open_record",
    "read_code",
    "seal_record",
]
