// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AllianceRegistry} from "../AllianceRegistry.sol";
import {CreditRegister} from "../CreditRegister.sol";
import {IAllianceRegistry} from "../interfaces/IAllianceRegistry.sol";
import {ICreditRegister} from "../interfaces/ICreditRegister.sol";
import {Kind, Terms} from "../libraries/CreditTerms.sol";
import {Signers} from "../libraries/Signers.sol";
import {Test} from "./Vm.sol";

/// @notice Five members with a credit publisher and a regulator each, a register, and how a record is signed and changed.
/// What is hashed is written out anew here, from docs/adr/0015.
abstract contract CreditFounding is Test {
    uint16 internal constant SEATS = 5;
    uint256 internal constant MEASURES = 0xff0;

    /// @dev What a record's last link was made from.
    struct Last {
        bytes32 subject;
        bytes32 record;
        ICreditRegister.Content content;
        ICreditRegister.State state;
        bytes32 step;
        uint64 time;
        bytes32 word;
    }

    AllianceRegistry internal registry;
    CreditRegister internal register;

    function publisherKey(uint256 member) internal pure returns (uint256) {
        return 0x3000 + member;
    }

    function regulatorKey(uint256 member) internal pure returns (uint256) {
        return 0x4000 + member;
    }

    function foundCredit() internal {
        IAllianceRegistry.NewMember[] memory members = new IAllianceRegistry.NewMember[](SEATS);
        for (uint256 n = 1; n <= SEATS; n++) {
            IAllianceRegistry.Operator[] memory operators = new IAllianceRegistry.Operator[](2);
            operators[0] = IAllianceRegistry.Operator(vm.addr(publisherKey(n)), IAllianceRegistry.Role.CreditPublisher);
            operators[1] = IAllianceRegistry.Operator(vm.addr(regulatorKey(n)), IAllianceRegistry.Role.Regulator);
            bytes32 code = bytes32(abi.encodePacked("m", bytes1(uint8(97 + n))));
            members[n - 1] = IAllianceRegistry.NewMember(code, "A centre", bytes32(n), operators);
        }
        IAllianceRegistry.Parameter[] memory parameters = new IAllianceRegistry.Parameter[](3);
        parameters[0] = IAllianceRegistry.Parameter("measures:honour", MEASURES);
        parameters[1] = IAllianceRegistry.Parameter("measures:general", MEASURES);
        parameters[2] = IAllianceRegistry.Parameter("measures:serious", MEASURES);
        registry = new AllianceRegistry(members, parameters, new IAllianceRegistry.SystemContract[](0));
        register = new CreditRegister(registry);
    }

    function terms(uint16 member, Kind kind, uint256 decidedOn, uint256 lastDay, uint256 earlier)
        internal
        pure
        returns (Terms)
    {
        return Terms.wrap(member | uint256(kind) << 16 | decidedOn << 24 | lastDay << 56 | earlier << 88);
    }

    // ---- calls, with the signatures that they take ----

    function publishing(bytes32 subject, ICreditRegister.Content memory content, bytes32[] memory links)
        internal
        view
        returns (bytes memory call, bytes32 record)
    {
        record = hashRecord(subject, content);
        ICreditRegister.Publication[] memory batch = new ICreditRegister.Publication[](1);
        batch[0] = ICreditRegister.Publication(subject, content);
        uint64 deadline = uint64(block.timestamp);
        bytes32 digest = typed(PUBLICATION, record, deadline);
        uint16 member = uint16(Terms.unwrap(content.terms));
        Signers.Signature[] memory endorsements = new Signers.Signature[](3);
        for (uint256 i = 0; i < 3; i++) {
            endorsements[i] = signature(regulatorKey((member + i) % SEATS + 1), digest);
        }
        call = abi.encodeCall(register.publish, (batch, links, deadline, pair(member, digest), endorsements));
    }

    /// @dev By whichever function is for `next`; `content` is what the record says after it.
    function changing(
        Last memory last,
        ICreditRegister.State next,
        ICreditRegister.Content memory content,
        bytes32[] memory links
    ) internal view returns (bytes memory call, bytes32 step) {
        ICreditRegister.Change[] memory batch = new ICreditRegister.Change[](1);
        batch[0] = changeOf(last, next);
        uint64 deadline = uint64(block.timestamp);
        step = hashChange(batch[0], hashRecord(last.subject, content));
        bytes32 digest = typed(CHANGES, step, deadline);
        Signers.Pair memory by = pair(uint16(Terms.unwrap(last.content.terms)), digest);
        if (next == ICreditRegister.State.Objected) {
            call = abi.encodeCall(register.objectTo, (batch[0], links, deadline, signature(publisherKey(5), digest)));
        } else if (next == ICreditRegister.State.Corrected) {
            call = abi.encodeCall(register.correct, (batch[0], content, links, deadline, by));
        } else {
            call = abi.encodeCall(register.decide, (batch, links, deadline, by));
        }
    }

    function changeOf(Last memory last, ICreditRegister.State next)
        internal
        pure
        returns (ICreditRegister.Change memory change)
    {
        (change.subject, change.record, change.content) = (last.subject, last.record, last.content);
        (change.state, change.step, change.time, change.word) = (last.state, last.step, last.time, last.word);
        (change.next, change.grounds) = (next, "grounds");
        if (next == ICreditRegister.State.Repaired) change.pledge = "pledge";
    }

    // ---- hashes, written out ----

    string private constant RECORD_TYPE =
        "CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,uint256 measures,bytes32 statement,bytes32 document)";
    string private constant CHANGE_TYPE =
        "CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)";
    string internal constant PUBLICATION =
        "CreditPublication(CreditRecord[] records,uint64 deadline)CreditRecord(bytes32 subject,uint16 member,uint8 kind,uint32 decidedOn,uint32 lastDay,uint32 earlier,uint256 measures,bytes32 statement,bytes32 document)";
    string internal constant CHANGES =
        "CreditChanges(CreditChange[] changes,uint64 deadline)CreditChange(bytes32 leaf,uint8 state,bytes32 grounds,bytes32 pledge,bytes32 content)";

    function hashRecord(bytes32 subject, ICreditRegister.Content memory content) internal pure returns (bytes32) {
        uint256 t = Terms.unwrap(content.terms);
        bytes memory fields =
            abi.encode(t & 0xffff, t >> 16 & 0xff, t >> 24 & 0xffffffff, t >> 56 & 0xffffffff, t >> 88 & 0xffffffff);
        bytes memory rest = abi.encode(content.measures, content.statement, content.document);
        return keccak256(bytes.concat(keccak256(bytes(RECORD_TYPE)), subject, fields, rest));
    }

    function hashChange(ICreditRegister.Change memory c, bytes32 content) internal pure returns (bytes32) {
        bytes32 leaf = hashLeaf(hashRecord(c.subject, c.content), c.state, c.step, c.time);
        return keccak256(abi.encode(keccak256(bytes(CHANGE_TYPE)), leaf, c.next, c.grounds, c.pledge, content));
    }

    function hashLeaf(bytes32 content, ICreditRegister.State state, bytes32 step, uint256 time)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(bytes.concat(content, bytes32(uint256(state)), step, bytes32(time)));
    }

    function nextWord(bytes32 word, bytes32 record, bytes32 leaf) internal pure returns (bytes32) {
        uint32 count = uint32(uint256(word) >> 224) + 1;
        return bytes32(abi.encodePacked(count, uint224(uint256(keccak256(bytes.concat(word, record, leaf))))));
    }

    function typed(string memory kind, bytes32 only, uint64 deadline) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("bidledger"),
                keccak256("1"),
                block.chainid,
                address(register)
            )
        );
        bytes32 signed = keccak256(abi.encode(keccak256(bytes(kind)), keccak256(bytes.concat(only)), deadline));
        return keccak256(abi.encodePacked(hex"1901", domain, signed));
    }

    function pair(uint256 member, bytes32 digest) internal pure returns (Signers.Pair memory) {
        return Signers.Pair(signature(publisherKey(member), digest), signature(regulatorKey(member), digest));
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (Signers.Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signers.Signature(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }
}
