"""Founds the alliance of the demonstration: thirteen western members, each with keys of its own, in one folder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anchors.chain.header import DEVELOPMENT
from ledger_service.keys import MemberKeys, make_ethereum_key, make_member_keys, make_password

MEMBERS = {
    "chongqing": "重庆市公共资源交易中心",
    "sichuan": "四川省公共资源交易中心",
    "guizhou": "贵州省公共资源交易中心",
    "yunnan": "云南省公共资源交易中心",
    "tibet": "西藏自治区公共资源交易中心",
    "shaanxi": "陕西省公共资源交易中心",
    "gansu": "甘肃省公共资源交易中心",
    "qinghai": "青海省公共资源交易中心",
    "ningxia": "宁夏回族自治区公共资源交易中心",
    "xinjiang": "新疆维吾尔自治区公共资源交易中心",
    "innermongolia": "内蒙古自治区公共资源交易中心",
    "guangxi": "广西壮族自治区公共资源交易中心",
    "xpcc": "新疆生产建设兵团公共资源交易中心",
}
"""Code and name, in the order of their numbers from 1."""


@dataclass(frozen=True, slots=True)
class Founding:
    """The alliance file and the keys that it names."""

    alliance_file: Path
    members: dict[str, MemberKeys]


def found(directory: Path, consensus: str = DEVELOPMENT, validators: Sequence[str] = ()) -> Founding:
    """Make every member's keys below `directory` and write the alliance file that `bidledger deploy` takes.

    In a real alliance each member makes its own keys and nobody holds two members' at once.

    Args:
        directory: where the keys and the file go.
        consensus: the chain's, as a network file names it.
        validators: who seals its blocks, 0x and 40 digits each.
    """
    deployer = directory / "deployer"
    deployer.mkdir(parents=True)
    make_password(deployer / "password")
    make_ethereum_key(deployer / "deployer.json", deployer / "password")
    members = {code: make_member_keys(directory / code) for code in MEMBERS}
    alliance_file = directory / "alliance.json"
    alliance = {**_alliance(members), "consensus": consensus, "validators": list(validators)}
    alliance_file.write_text(json.dumps(alliance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Founding(alliance_file, members)


def _alliance(members: dict[str, MemberKeys]) -> dict[str, object]:
    return {
        "format": "bidledger/alliance/v1",
        "alliance": "西部公共资源交易联盟 (demonstration)",
        "domain": "demo.bidledger.example",
        "members": [
            {
                "number": number,
                "code": code,
                "name": MEMBERS[code],
                "log_key": f"0x{keys.log_public_key.hex()}",
                "operators": [
                    {"address": f"0x{address.hex()}", "role": role} for role, address in keys.addresses.items()
                ],
            }
            for number, (code, keys) in enumerate(members.items(), start=1)
        ],
        "deployer": {"keystore": "deployer/deployer.json", "password_file": "deployer/password"},
        "governors": [
            {"keystore": f"{code}/{keys.keystores['governor'].name}", "password_file": f"{code}/password"}
            for code, keys in members.items()
        ],
    }
