// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IAllianceRegistry} from "./interfaces/IAllianceRegistry.sol";
import {IEvidenceLog} from "./interfaces/IEvidenceLog.sol";
import {Journal} from "./libraries/Journal.sol";

/// @title AllianceRegistry
/// @notice See IAllianceRegistry. Reads from top to bottom as the alliance lives: it is founded, it votes, what a vote may
/// do, what a member does by itself, what others ask of it.
contract AllianceRegistry is IAllianceRegistry {
    using Journal for Journal.Head;

    uint256 private constant MAX_MEMBERS = 255; // bounds the one loop over members, in `tally`
    uint256 private constant MAX_NAME_BYTES = 128;
    uint64 private constant PROPOSAL_LIFETIME = 30 days;
    uint64 private constant REGULATOR_NOTICE = 48 hours;
    bytes32 private constant EVIDENCE_LOG = "EvidenceLog";

    struct Member {
        bytes32 code;
        bytes32 logKey;
        string name;
        Status status;
    }

    struct RegulatorRequest {
        address governor; // who asked; zero: no request
        uint64 until;
        uint64 lapsesAt;
    }

    Journal.Head private _journal;
    uint16 public override memberCount;
    uint256 private _proposalCount;
    mapping(uint16 member => Member) private _members;
    mapping(bytes32 code => bool) private _codeTaken;
    mapping(address operator => mapping(Role => Tenure)) private _tenures;
    mapping(bytes32 name => uint256) public override parameter;
    mapping(bytes32 name => address) public override systemContract;
    mapping(address target => bytes32 name) private _systemNames;
    mapping(uint256 id => Proposal) private _proposals;
    mapping(uint256 id => mapping(uint16 member => address governor)) private _voices;
    mapping(uint16 member => mapping(address operator => RegulatorRequest)) private _requests;
    uint256 private _active; // bit n: member n is active; one word, so that the roles of many members are cheap to check

    modifier onlyByVote() {
        if (msg.sender != address(this)) revert AllianceRegistry_OnlyByVote(msg.sender);
        _;
    }

    /// @notice Founds the alliance. System contracts may be named here before they have code: they need this address.
    constructor(NewMember[] memory members, Parameter[] memory parameters, SystemContract[] memory contracts) {
        for (uint256 i = 0; i < members.length; i++) {
            _addMember(members[i], 0);
        }
        _requireQuorum();
        for (uint256 i = 0; i < parameters.length; i++) {
            _setParameter(parameters[i].name, parameters[i].value);
        }
        for (uint256 i = 0; i < contracts.length; i++) {
            _setSystemContract(contracts[i].name, contracts[i].target);
        }
    }

    // ---- votes ----

    /// @inheritdoc IAllianceRegistry
    function propose(address target, bytes calldata data) external returns (uint256 id) {
        uint16 member = roleMember(msg.sender, Role.Governor);
        _requireTarget(target);
        id = ++_proposalCount;
        uint64 lapsesAt = uint64(block.timestamp) + PROPOSAL_LIFETIME;
        _proposals[id] = Proposal(target, lapsesAt, false, data);
        _voices[id][member] = msg.sender;
        emit Proposed(id, member, msg.sender, target, data, lapsesAt);
        _journal.fold(
            bytes.concat(abi.encode(Proposed.selector, id, member), abi.encode(msg.sender, target, data, lapsesAt))
        );
    }

    /// @inheritdoc IAllianceRegistry
    function approve(uint256 id) external {
        uint16 member = roleMember(msg.sender, Role.Governor);
        _openProposal(id);
        if (_isGovernor(_voices[id][member])) revert AllianceRegistry_AlreadyApproved(id, member);
        _voices[id][member] = msg.sender;
        emit Approved(id, member, msg.sender);
        _journal.fold(abi.encode(Approved.selector, id, member, msg.sender));
    }

    /// @inheritdoc IAllianceRegistry
    function execute(uint256 id) external {
        roleMember(msg.sender, Role.Governor);
        Proposal storage open = _openProposal(id);
        _requireTarget(open.target);
        (uint256 voices, uint256 seats) = tally(id);
        if (!_carries(voices, seats)) revert AllianceRegistry_NotEnoughVoices(id, voices, seats);
        open.executed = true;
        emit Executed(id);
        _journal.fold(abi.encode(Executed.selector, id));
        Address.functionCall(open.target, open.data);
    }

    // ---- what a vote may do ----

    /// @inheritdoc IAllianceRegistry
    function addMember(NewMember calldata newMember) external onlyByVote returns (uint16) {
        return _addMember(newMember, REGULATOR_NOTICE);
    }

    /// @inheritdoc IAllianceRegistry
    function setStatus(uint16 member, Status status) external onlyByVote {
        Status present = _requireMember(member).status;
        if (status == Status.None || status == present || present == Status.Withdrawn) {
            revert AllianceRegistry_BadStatusChange(member, present, status);
        }
        _setStatus(member, status);
        _requireQuorum();
        emit MemberStatusChanged(member, status);
        _journal.fold(abi.encode(MemberStatusChanged.selector, member, status));
    }

    /// @inheritdoc IAllianceRegistry
    function rename(uint16 member, string calldata name) external onlyByVote {
        _requireMember(member).name = _checkedName(name);
        emit MemberRenamed(member, name);
        _journal.fold(bytes.concat(abi.encode(MemberRenamed.selector, member), abi.encode(name)));
    }

    /// @inheritdoc IAllianceRegistry
    function setLogKey(uint16 member, bytes32 logKey) external onlyByVote {
        _setLogKey(member, logKey);
    }

    /// @inheritdoc IAllianceRegistry
    function grantRole(uint16 member, address operator, Role role, uint64 from, uint64 until) external onlyByVote {
        _requireMember(member);
        _grant(member, operator, role, from, until, REGULATOR_NOTICE);
    }

    /// @inheritdoc IAllianceRegistry
    function revokeRole(address operator, Role role) external onlyByVote {
        _revoke(_tenures[operator][role].member, operator, role);
    }

    /// @inheritdoc IAllianceRegistry
    function setParameter(bytes32 name, uint256 value) external onlyByVote {
        _setParameter(name, value);
    }

    /// @inheritdoc IAllianceRegistry
    function setSystemContract(bytes32 name, address target) external onlyByVote {
        if (target.code.length == 0) revert AllianceRegistry_NoCode(target);
        _setSystemContract(name, target);
    }

    // ---- what a member does by itself ----

    /// @inheritdoc IAllianceRegistry
    function grantOwnRole(address operator, Role role, uint64 from, uint64 until) external {
        uint16 member = roleMember(msg.sender, Role.Governor);
        if (role == Role.Regulator) revert AllianceRegistry_RegulatorNeedsSecond(operator);
        _grant(member, operator, role, from, until, 0);
    }

    /// @inheritdoc IAllianceRegistry
    function revokeOwnRole(address operator, Role role) external {
        if (!_isGovernor(msg.sender)) revert AllianceRegistry_NotInForce(msg.sender, Role.Governor);
        _revoke(_tenures[msg.sender][Role.Governor].member, operator, role);
    }

    /// @inheritdoc IAllianceRegistry
    function setOwnLogKey(bytes32 logKey) external {
        _setLogKey(roleMember(msg.sender, Role.Governor), logKey);
    }

    /// @inheritdoc IAllianceRegistry
    function requestRegulator(address operator, uint64 until) external {
        uint16 member = roleMember(msg.sender, Role.Governor);
        uint64 lapsesAt = uint64(block.timestamp) + PROPOSAL_LIFETIME;
        _requests[member][operator] = RegulatorRequest(msg.sender, until, lapsesAt);
        emit RegulatorRequested(member, operator, until, lapsesAt);
        _journal.fold(abi.encode(RegulatorRequested.selector, member, operator, until, lapsesAt));
    }

    /// @inheritdoc IAllianceRegistry
    function secondRegulator(uint16 member, address operator) external {
        uint16 second = roleMember(msg.sender, Role.Governor);
        RegulatorRequest memory request = _requests[member][operator];
        if (block.timestamp >= request.lapsesAt) revert AllianceRegistry_NoRequest(member, operator);
        if (second == member) revert AllianceRegistry_OwnRequest(member, operator);
        roleMember(request.governor, Role.Governor); // who asked may still ask
        delete _requests[member][operator];
        emit RegulatorSeconded(member, operator, second);
        _journal.fold(abi.encode(RegulatorSeconded.selector, member, operator, second));
        _grant(member, operator, Role.Regulator, 0, request.until, REGULATOR_NOTICE);
    }

    // ---- what others ask ----

    /// @inheritdoc IAllianceRegistry
    function roleMember(address operator, Role role) public view returns (uint16 member) {
        Tenure storage held = _tenures[operator][role];
        if (!_inForce(held)) revert AllianceRegistry_NotInForce(operator, role);
        member = held.member;
        if (role == Role.Anchorer || (_active >> member) & 1 == 1) return member;
        revert AllianceRegistry_MemberNotActive(member, _members[member].status);
    }

    /// @inheritdoc IAllianceRegistry
    function pairMember(address publisher, address regulator) external view returns (uint16 member) {
        if (publisher == regulator) revert AllianceRegistry_NotDistinct(publisher);
        member = roleMember(publisher, Role.CreditPublisher);
        uint16 served = roleMember(regulator, Role.Regulator);
        if (served != member) revert AllianceRegistry_ServesAnother(regulator, served);
    }

    /// @inheritdoc IAllianceRegistry
    function regulatorMembers(address[] calldata regulators) external view returns (uint256 members) {
        for (uint256 i = 0; i < regulators.length; i++) {
            uint256 bit = 1 << roleMember(regulators[i], Role.Regulator);
            if (members & bit != 0) revert AllianceRegistry_NotDistinct(regulators[i]);
            members |= bit;
        }
    }

    /// @inheritdoc IAllianceRegistry
    function tenure(address operator, Role role) external view returns (Tenure memory) {
        return _tenures[operator][role];
    }

    /// @inheritdoc IAllianceRegistry
    function memberAt(uint16 number) external view returns (bytes32, string memory, bytes32, Status) {
        Member storage found = _requireMember(number);
        return (found.code, found.name, found.logKey, found.status);
    }

    /// @inheritdoc IAllianceRegistry
    function statusOf(uint16 number) external view returns (Status) {
        return _members[number].status;
    }

    /// @inheritdoc IAllianceRegistry
    function proposal(uint256 id) external view returns (Proposal memory) {
        return _proposals[id];
    }

    /// @inheritdoc IAllianceRegistry
    function tally(uint256 id) public view returns (uint256 voices, uint256 seats) {
        for (uint16 number = 1; number <= memberCount; number++) {
            Status status = _members[number].status;
            if (status == Status.Withdrawn) continue;
            seats++;
            if (status == Status.Active && _isGovernor(_voices[id][number])) voices++;
        }
    }

    /// @inheritdoc IAllianceRegistry
    function journal() external view returns (bytes32) {
        return _journal.word;
    }

    // ---- rules ----

    function _carries(uint256 voices, uint256 seats) private pure returns (bool) {
        return 3 * voices > 2 * seats;
    }

    function _inForce(Tenure storage held) private view returns (bool) {
        (uint64 from, uint64 until) = (held.from, held.until);
        return held.member != 0 && from <= block.timestamp && (until == 0 || block.timestamp < until);
    }

    function _isGovernor(address operator) private view returns (bool) {
        return _inForce(_tenures[operator][Role.Governor]);
    }

    function _requireMember(uint16 number) private view returns (Member storage found) {
        found = _members[number];
        if (found.status == Status.None) revert AllianceRegistry_UnknownMember(number);
    }

    function _requireTarget(address target) private view {
        if (target != address(this) && _systemNames[target] == 0) revert AllianceRegistry_NotSystemContract(target);
    }

    function _openProposal(uint256 id) private view returns (Proposal storage open) {
        open = _proposals[id];
        if (open.lapsesAt == 0) revert AllianceRegistry_UnknownProposal(id);
        if (open.executed) revert AllianceRegistry_AlreadyExecuted(id);
        if (block.timestamp >= open.lapsesAt) revert AllianceRegistry_Lapsed(id, open.lapsesAt);
    }

    /// @dev Refuses a state in which all active members together could pass nothing, for ever.
    function _requireQuorum() private view {
        uint256 active;
        uint256 seats;
        for (uint16 number = 1; number <= memberCount; number++) {
            Status status = _members[number].status;
            if (status == Status.Active) active++;
            if (status != Status.Withdrawn) seats++;
        }
        if (!_carries(active, seats)) revert AllianceRegistry_QuorumLost(active, seats);
    }

    function _checkedName(string memory name) private pure returns (string memory) {
        uint256 length = bytes(name).length;
        if (length == 0 || length > MAX_NAME_BYTES) revert AllianceRegistry_BadName(length);
        return name;
    }

    function _requireCode(bytes32 code) private view {
        bool ended = code[0] == 0;
        if (ended) revert AllianceRegistry_BadCode(code);
        for (uint256 i = 0; i < 32; i++) {
            bytes1 c = code[i];
            bool letter = (c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "-";
            if (c == 0) ended = true;
            else if (ended || !letter) revert AllianceRegistry_BadCode(code);
        }
        if (_codeTaken[code]) revert AllianceRegistry_CodeTaken(code);
    }

    /// @dev An address serves one member, takes up each role once, and a governor's has no other role.
    function _requireFresh(uint16 member, address operator, Role role) private view {
        if (operator == address(0) || operator == address(this)) revert AllianceRegistry_BadOperator(operator);
        for (uint8 i = 0; i <= uint8(type(Role).max); i++) {
            Role held = Role(i);
            uint16 served = _tenures[operator][held].member;
            if (served == 0) continue;
            if (served != member) revert AllianceRegistry_ServesAnother(operator, served);
            if (held == role) revert AllianceRegistry_AlreadyGranted(operator, role);
            if (held == Role.Governor || role == Role.Governor) revert AllianceRegistry_GovernorApart(operator);
        }
    }

    // ---- changes, each with its event ----

    function _addMember(NewMember memory newMember, uint64 regulatorNotice) private returns (uint16 number) {
        if (memberCount == MAX_MEMBERS) revert AllianceRegistry_TooManyMembers();
        _requireCode(newMember.code);
        if (newMember.logKey == 0) revert AllianceRegistry_NoLogKey();
        number = ++memberCount;
        _codeTaken[newMember.code] = true;
        _members[number] = Member(newMember.code, newMember.logKey, _checkedName(newMember.name), Status.None);
        _setStatus(number, Status.Active);
        emit MemberAdded(number, newMember.code, newMember.name, newMember.logKey);
        _journal.fold(
            bytes.concat(
                abi.encode(MemberAdded.selector, number), abi.encode(newMember.code, newMember.name, newMember.logKey)
            )
        );
        for (uint256 i = 0; i < newMember.operators.length; i++) {
            Operator memory each = newMember.operators[i];
            _grant(number, each.operator, each.role, 0, 0, regulatorNotice);
        }
    }

    function _setStatus(uint16 member, Status status) private {
        _members[member].status = status;
        uint256 bit = 1 << member;
        _active = status == Status.Active ? _active | bit : _active & ~bit;
    }

    function _setLogKey(uint16 member, bytes32 logKey) private {
        if (logKey == 0) revert AllianceRegistry_NoLogKey();
        _requireMember(member).logKey = logKey;
        (, uint32 generation, uint64 size) = _anchored(member);
        emit LogKeyChanged(member, logKey, generation, size);
        _journal.fold(abi.encode(LogKeyChanged.selector, member, logKey, generation, size));
    }

    function _grant(uint16 member, address operator, Role role, uint64 from, uint64 until, uint64 regulatorNotice)
        private
    {
        _requireFresh(member, operator, role);
        uint64 earliest = uint64(block.timestamp) + (role == Role.Regulator ? regulatorNotice : 0);
        if (from < earliest) from = earliest;
        if (until != 0 && until <= from) revert AllianceRegistry_BadTenure(from, until);
        Tenure storage held = _tenures[operator][role];
        (held.member, held.from, held.until) = (member, from, until);
        emit RoleGranted(member, operator, role, from, until);
        _journal.fold(abi.encode(RoleGranted.selector, member, operator, role, from, until));
    }

    function _revoke(uint16 member, address operator, Role role) private {
        Tenure storage held = _tenures[operator][role];
        if (member == 0 || held.member != member) revert AllianceRegistry_NotOperatorOf(member, operator, role);
        if (held.revoked) revert AllianceRegistry_AlreadyRevoked(operator, role);
        held.revoked = true;
        if (held.until == 0 || held.until > block.timestamp) held.until = uint64(block.timestamp);
        if (role == Role.ReceiptSigner) (held.log, held.generation, held.size) = _anchored(member);
        emit RoleRevoked(member, operator, role, held.until, held.generation, held.size);
        _journal.fold(abi.encode(RoleRevoked.selector, member, operator, role, held.until, held.generation, held.size));
    }

    function _setParameter(bytes32 name, uint256 value) private {
        parameter[name] = value;
        emit ParameterChanged(name, value);
        _journal.fold(abi.encode(ParameterChanged.selector, name, value));
    }

    function _setSystemContract(bytes32 name, address target) private {
        if (_systemNames[target] != 0) revert AllianceRegistry_AlreadyRegistered(target, _systemNames[target]);
        delete _systemNames[systemContract[name]];
        systemContract[name] = target;
        _systemNames[target] = name;
        emit SystemContractChanged(name, target);
        _journal.fold(abi.encode(SystemContractChanged.selector, name, target));
    }

    /// @dev What the member's log stands at in the evidence log in force; zeros while none is registered.
    function _anchored(uint16 member) private view returns (address log, uint32 generation, uint64 size) {
        log = systemContract[EVIDENCE_LOG];
        if (log != address(0)) (generation, size,,,) = IEvidenceLog(log).checkpoint(member);
    }
}
