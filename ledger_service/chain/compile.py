"""Compiles the contracts through py-solc-x into `artifacts/`: the same sources always give the same bytes.

Needs a checkout with its node tools; an installed package only reads the artifacts.
"""

import json
from pathlib import Path
from typing import Any, Final

import solcx

from anchors.chain.keccak import keccak256
from ledger_service.chain.contracts import WITH_ARTIFACTS

ROOT: Final = Path(__file__).parents[2]
ARTIFACTS: Final = Path(__file__).parent / "artifacts"
_SOLC: Final = ROOT / "hardhat-free-devnet" / "solc"
# By measure: the IR pipeline makes EvidenceLog a fifth smaller and an anchor 1,400 gas cheaper than the legacy one,
# and more runs make both worse. It takes 10 s instead of 3, which only this script and its test pay.
_SETTINGS: Final[dict[str, Any]] = {
    "viaIR": True,
    "evmVersion": "london",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"bytecodeHash": "none"},
    "remappings": ["@openzeppelin/=hardhat-free-devnet/node_modules/@openzeppelin/"],
}
_OUTPUTS: Final = ["abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"]


def compile_contracts() -> dict[str, bytes]:
    """Compile, and return what each artifact file must hold, by contract.

    Raises:
        solcx.exceptions.SolcError: the sources do not compile.
    """
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "contracts").rglob("*.sol"))
        if "test" not in path.parts
    }
    compiled = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": _SETTINGS
            | {"outputSelection": {f"contracts/{name}.sol": {name: _OUTPUTS} for name in WITH_ARTIFACTS}},
        },
        base_path=str(ROOT),
        solc_binary=str(_SOLC),
    )
    hashes = {name: "0x" + keccak256(text.encode()).hex() for name, text in sources.items()}
    return {name: _artifact(compiled["contracts"][f"contracts/{name}.sol"][name], hashes) for name in WITH_ARTIFACTS}


def _artifact(output: dict[str, Any], hashes: dict[str, str]) -> bytes:
    deployed = output["evm"]["deployedBytecode"]
    content = {
        "abi": output["abi"],
        "bytecode": "0x" + output["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": list(deployed["immutableReferences"].values()),
        "storage": {slot["label"]: int(slot["slot"]) for slot in output["storageLayout"]["storage"]},
        "settings": _SETTINGS,
        "sources": hashes,
    }
    return (json.dumps(content, indent=1) + "\n").encode()


if __name__ == "__main__":
    ARTIFACTS.mkdir(exist_ok=True)
    for name, content in compile_contracts().items():
        (ARTIFACTS / f"{name}.json").write_bytes(content)
