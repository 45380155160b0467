// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Kind} from "../libraries/CreditTerms.sol";
import {Signers} from "../libraries/Signers.sol";

/// @title Which member applies whose credit records
/// @notice Every member applies every other's records, until it opts out: of an issuer's records of one kind, or of one
/// record. It gives a reason, which all can see, and may opt in again, with a reason as well. Its own records a member
/// always applies. Honour, general and serious dishonesty are apart.
/// @dev Signed by the member's credit publisher and regulator (EIP-712, domain "bidledger" version "1" and this contract):
///   RecognitionOfKind(uint16 member,uint16 issuer,uint8 kind,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)
///   RecognitionOfRecord(uint16 member,bytes32 record,bool applied,bytes32 reason,uint32 earlier,uint64 deadline)
/// `earlier` is how often the member has changed its mind on just this before, so that a signature is good once. Every
/// event is folded into one journal word.
interface IRecognitionMatrix {
    /// @notice What a member has decided last, all zeros if nothing.
    struct Choice {
        bytes32 reason; // digest of its reason
        uint64 since; // POSIX seconds
        uint32 changes; // so far
        bool optedOut;
    }

    event KindRecognitionChanged(
        uint16 indexed member,
        uint16 indexed issuer,
        Kind kind,
        bool applied,
        bytes32 reason,
        address publisher,
        address regulator
    );
    event RecordRecognitionChanged(
        uint16 indexed member,
        bytes32 indexed record,
        bool applied,
        bytes32 reason,
        address publisher,
        address regulator
    );

    error RecognitionMatrix_UnknownIssuer(uint16 issuer);
    /// @notice A member's own records are not its to recognise.
    error RecognitionMatrix_OwnRecords(uint16 member);
    error RecognitionMatrix_NoKind();
    error RecognitionMatrix_NoRecord();
    error RecognitionMatrix_NoReason();
    /// @notice It applies, or does not apply, already.
    error RecognitionMatrix_NoChange(uint16 member, bool applied);
    /// @notice The signatures are for another number of earlier changes.
    error RecognitionMatrix_Superseded(uint32 earlier, uint32 changes);

    /// @notice Opts out of an issuer's records of a kind, or in again.
    /// @param applied whether the member applies them from now on.
    /// @param reason digest of the reason.
    /// @param earlier how often the member has changed this before.
    /// @param deadline the time until which the signatures count.
    /// @param pair the member's credit publisher and regulator, over `RecognitionOfKind`.
    function recogniseKind(
        uint16 member,
        uint16 issuer,
        Kind kind,
        bool applied,
        bytes32 reason,
        uint32 earlier,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external;

    /// @notice Opts out of one record, or in again. See `recogniseKind`.
    /// @param record its name in the CreditRegister; whether there is such a record is not looked up.
    /// @param pair the member's credit publisher and regulator, over `RecognitionOfRecord`.
    function recogniseRecord(
        uint16 member,
        bytes32 record,
        bool applied,
        bytes32 reason,
        uint32 earlier,
        uint64 deadline,
        Signers.Pair calldata pair
    ) external;

    function choiceOfKind(uint16 member, uint16 issuer, Kind kind) external view returns (Choice memory);

    function choiceOfRecord(uint16 member, bytes32 record) external view returns (Choice memory);

    /// @notice Whether `member` applies a record of `issuer` now, while it is published.
    function applies(uint16 member, uint16 issuer, Kind kind, bytes32 record) external view returns (bool);

    /// @notice The journal: uint32 number of events (high) and 224-bit running hash. See libraries/Journal.sol.
    function journal() external view returns (bytes32);
}
