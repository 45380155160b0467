// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAllianceRegistry} from "./interfaces/IAllianceRegistry.sol";
import {IRecognitionMatrix} from "./interfaces/IRecognitionMatrix.sol";
import {Kind} from "./libraries/CreditTerms.sol";
import {Journal} from "./libraries/Journal.sol";
import {Signers} from "./libraries/Signers.sol";

/// @title RecognitionMatrix
/// @notice See IRecognitionMatrix.
contract RecognitionMatrix is IRecognitionMatrix, EIP712 {
    using Journal for Journal.Head;
    using Signers for IAllianceRegistry;

    bytes32 private constant KIND_TYPEHASH = keccak256(
        "RecognitionOfKind(uint16 member,uint16 issuer,uint8 kind,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)"
    );
    bytes32 private constant RECORD_TYPEHASH = keccak256(
        "RecognitionOfRecord(uint16 member,bytes32 record,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)"
    );

    IAllianceRegistry public immutable registry;

    Journal.Head private _journal;
    mapping(uint16 member => mapping(uint16 issuer => mapping(Kind => Choice))) private _kinds;
    mapping(uint16 member => mapping(bytes32 record => Choice)) private _records;

    constructor(IAllianceRegistry registry_) EIP712("bidledger", "1") {
        registry = registry_;
    }

    /// @inheritdoc IRecognitionMatrix
    function recogniseKind(
        uint16 member,
        uint16 issuer,
        Kind kind,
        bool applied,
        bytes32 reason,
        uint32 earlier,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external {
        if (issuer == member) revert RecognitionMatrix_OwnRecords(member);
        if (registry.statusOf(issuer) == IAllianceRegistry.Status.None) revert RecognitionMatrix_UnknownIssuer(issuer);
        if (kind == Kind.None) revert RecognitionMatrix_NoKind();
        bytes32 signed = keccak256(abi.encode(KIND_TYPEHASH, member, issuer, kind, applied, reason, earlier, deadline));
        (address publisher, address regulator) = _signers(member, signed, deadline, pair);
        _choose(_kinds[member][issuer][kind], member, applied, reason, earlier);
        _journal.emitAndFold(
            abi.encode(KindRecognitionChanged.selector, member, issuer, kind, applied, reason, publisher, regulator)
        );
    }

    /// @inheritdoc IRecognitionMatrix
    function recogniseRecord(
        uint16 member,
        bytes32 record,
        bool applied,
        bytes32 reason,
        uint32 earlier,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external {
        if (record == 0) revert RecognitionMatrix_NoRecord();
        bytes32 signed = keccak256(abi.encode(RECORD_TYPEHASH, member, record, applied, reason, earlier, deadline));
        (address publisher, address regulator) = _signers(member, signed, deadline, pair);
        _choose(_records[member][record], member, applied, reason, earlier);
        _journal.emitAndFold(
            abi.encode(RecordRecognitionChanged.selector, member, record, applied, reason, publisher, regulator)
        );
    }

    /// @inheritdoc IRecognitionMatrix
    function choiceOfKind(uint16 member, uint16 issuer, Kind kind) external view returns (Choice memory) {
        return _kinds[member][issuer][kind];
    }

    /// @inheritdoc IRecognitionMatrix
    function choiceOfRecord(uint16 member, bytes32 record) external view returns (Choice memory) {
        return _records[member][record];
    }

    /// @inheritdoc IRecognitionMatrix
    function applies(uint16 member, uint16 issuer, Kind kind, bytes32 record) external view returns (bool) {
        return member == issuer || !(_kinds[member][issuer][kind].optedOut || _records[member][record].optedOut);
    }

    /// @inheritdoc IRecognitionMatrix
    function journal() external view returns (bytes32) {
        return _journal.word;
    }

    function _signers(uint16 member, bytes32 signed, uint64 deadline, Signers.Pair calldata pair)
        private
        view
        returns (address publisher, address regulator)
    {
        Signers.requireInTime(deadline);
        return registry.requirePair(member, _hashTypedDataV4(signed), pair);
    }

    function _choose(Choice storage choice, uint16 member, bool applied, bytes32 reason, uint32 earlier) private {
        if (reason == 0) revert RecognitionMatrix_NoReason();
        if (earlier != choice.changes) revert RecognitionMatrix_Superseded(earlier, choice.changes);
        if (applied != choice.optedOut) revert RecognitionMatrix_NoChange(member, applied);
        choice.reason = reason;
        (choice.since, choice.changes, choice.optedOut) = (uint64(block.timestamp), earlier + 1, !applied);
    }
}
