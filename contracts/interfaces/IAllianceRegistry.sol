// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The alliance: its members, their operators, and how both are changed
/// @notice Says who belongs, which address acts for which member in which role and since when, and which contracts and
/// parameters are in force. There is no owner. Whatever concerns the alliance is proposed by a governor, approved by
/// governors of more than two thirds of the members and executed once; what concerns one member's own keys is done by
/// that member's governor, and granting a regulator also needs a second member and 48 hours.
/// @dev Every event of this contract is folded into one journal word, so that an index can prove that it missed none.
/// Times are POSIX seconds of the block. Names of parameters and system contracts are ASCII, left-aligned.
interface IAllianceRegistry {
    /// @notice What an address does for its member. A governor's address holds no other role.
    enum Role {
        Governor,
        Anchorer,
        ReceiptSigner,
        CreditPublisher,
        Regulator,
        TenderOfficer
    }

    /// @notice A member's standing. A suspended member counts in every vote but has no voice; a withdrawn one does not count
    /// and never comes back under its number. Both may still anchor what they have receipted, for as long as their
    /// anchorers are not revoked: whoever holds such a receipt has done nothing wrong.
    enum Status {
        None,
        Active,
        Suspended,
        Withdrawn
    }

    /// @notice The one term for which an address holds a role. It is granted once and never again: a fresh key is the
    /// only way to follow an ended one, so this is the whole history.
    /// @dev In force at t: from <= t and (until == 0 or t < until). The first six fields share a slot, which is all that
    /// a role check reads. The last three say what was anchored when a receipt signer was revoked (see `revokeRole`).
    struct Tenure {
        uint16 member; // 0: never granted
        uint64 from;
        uint64 until; // 0: open
        bool revoked;
        uint32 generation;
        uint64 size;
        address log;
    }

    /// @notice An address and the role that it takes up.
    struct Operator {
        address operator;
        Role role;
    }

    /// @notice A member as it joins. `code` is its name in log origins: 1 to 32 of a-z, 0-9 and "-", then zeros.
    struct NewMember {
        bytes32 code;
        string name; // UTF-8, 1 to 128 bytes
        bytes32 logKey; // Ed25519 public key of its log
        Operator[] operators;
    }

    /// @notice A parameter of the alliance, such as "receiptDays".
    struct Parameter {
        bytes32 name;
        uint256 value;
    }

    /// @notice A contract of the alliance, such as "EvidenceLog".
    struct SystemContract {
        bytes32 name;
        address target;
    }

    /// @notice A change that was proposed; `executed` never turns back.
    struct Proposal {
        address target;
        uint64 lapsesAt; // 0: no such proposal
        bool executed;
        bytes data;
    }

    event MemberAdded(uint16 indexed member, bytes32 code, string name, bytes32 logKey);
    event MemberStatusChanged(uint16 indexed member, Status status);
    event MemberRenamed(uint16 indexed member, string name);
    /// @notice From now on the member signs with `logKey`: it is valid for checkpoints of `generation` with more than
    /// `fromSize` leaves, and for those of later generations.
    event LogKeyChanged(uint16 indexed member, bytes32 logKey, uint32 generation, uint64 fromSize);
    event RoleGranted(uint16 indexed member, address indexed operator, Role role, uint64 from, uint64 until);
    /// @notice The tenure ends at `until`. For a receipt signer, (generation, size) is what the member had anchored.
    event RoleRevoked(
        uint16 indexed member, address indexed operator, Role role, uint64 until, uint32 generation, uint64 size
    );
    event RegulatorRequested(uint16 indexed member, address indexed operator, uint64 until, uint64 lapsesAt);
    /// @notice `second` is the member whose governor agreed; the RoleGranted that follows says from when.
    event RegulatorSeconded(uint16 indexed member, address indexed operator, uint16 second);
    event ParameterChanged(bytes32 indexed name, uint256 value);
    event SystemContractChanged(bytes32 indexed name, address target);
    event Proposed(
        uint256 indexed id, uint16 indexed member, address governor, address target, bytes data, uint64 lapsesAt
    );
    event Approved(uint256 indexed id, uint16 indexed member, address governor);
    event Executed(uint256 indexed id);

    /// @notice The caller is not this registry: the change needs an executed proposal.
    error AllianceRegistry_OnlyByVote(address sender);
    /// @notice The address does not hold the role at this moment.
    error AllianceRegistry_NotInForce(address operator, Role role);
    /// @notice The member's status does not allow this.
    error AllianceRegistry_MemberNotActive(uint16 member, Status status);
    error AllianceRegistry_UnknownMember(uint16 member);
    error AllianceRegistry_TooManyMembers();
    error AllianceRegistry_BadCode(bytes32 code);
    /// @notice A code is never used again, not even after its member withdrew: log origins hang on it.
    error AllianceRegistry_CodeTaken(bytes32 code);
    error AllianceRegistry_BadName(uint256 bytesGiven);
    error AllianceRegistry_NoLogKey();
    error AllianceRegistry_BadStatusChange(uint16 member, Status from, Status to);
    /// @notice After this change even all active members together could not pass a vote.
    error AllianceRegistry_QuorumLost(uint256 active, uint256 seats);
    error AllianceRegistry_BadOperator(address operator);
    error AllianceRegistry_ServesAnother(address operator, uint16 member);
    /// @notice The address, or its member, counts once.
    error AllianceRegistry_NotDistinct(address operator);
    error AllianceRegistry_AlreadyGranted(address operator, Role role);
    error AllianceRegistry_GovernorApart(address operator);
    error AllianceRegistry_BadTenure(uint64 from, uint64 until);
    error AllianceRegistry_NotOperatorOf(uint16 member, address operator, Role role);
    error AllianceRegistry_AlreadyRevoked(address operator, Role role);
    /// @notice A member cannot make a regulator alone: use `requestRegulator`.
    error AllianceRegistry_RegulatorNeedsSecond(address operator);
    error AllianceRegistry_NoRequest(uint16 member, address operator);
    error AllianceRegistry_OwnRequest(uint16 member, address operator);
    error AllianceRegistry_NotSystemContract(address target);
    error AllianceRegistry_NoCode(address target);
    error AllianceRegistry_AlreadyRegistered(address target, bytes32 name);
    error AllianceRegistry_UnknownProposal(uint256 id);
    error AllianceRegistry_Lapsed(uint256 id, uint64 lapsedAt);
    error AllianceRegistry_AlreadyExecuted(uint256 id);
    error AllianceRegistry_AlreadyApproved(uint256 id, uint16 member);
    error AllianceRegistry_NotEnoughVoices(uint256 id, uint256 voices, uint256 seats);

    /// @notice Proposes one call, with the proposer's own voice.
    /// @param target this registry or a registered system contract.
    /// @param data the call; what it would do is not checked before it is executed.
    /// @return id the proposal's number, from 1.
    /// @dev Only a governor in force of an active member; so for `approve` and `execute`.
    function propose(address target, bytes calldata data) external returns (uint256 id);

    /// @notice Gives the caller's member's voice. It counts for as long as the very key that gave it is a governor in
    /// force: who finds a key stolen revokes it, and what it approved with it. The member may then approve anew.
    function approve(uint256 id) external;

    /// @notice Carries the proposal out, if more than two thirds of the members agree now.
    /// @dev Voices are counted anew against today's members: the active ones with a voice in force, out of all that have
    /// not withdrawn. The target must still be registered. If the call fails nothing has happened, and it may be tried
    /// again until the proposal lapses.
    function execute(uint256 id) external;

    /// @notice Takes in a member, with its first operators (regulators among them wait 48 hours). Only by vote.
    function addMember(NewMember calldata newMember) external returns (uint16 member);

    /// @notice Suspends, restores or withdraws a member. Only by vote; withdrawal is for ever.
    function setStatus(uint16 member, Status status) external;

    /// @notice Only by vote.
    function rename(uint16 member, string calldata name) external;

    /// @notice Only by vote.
    function setLogKey(uint16 member, bytes32 logKey) external;

    /// @notice Grants a role. Only by vote; a regulator waits 48 hours here too.
    /// @param from when it begins; earlier than now means now, since nobody is given a right for the past.
    /// @param until when it ends, 0 for never.
    function grantRole(uint16 member, address operator, Role role, uint64 from, uint64 until) external;

    /// @notice Ends a tenure now, or marks one that has already ended as revoked. Only by vote.
    /// @dev Receipts of a revoked signer count only below what the member had anchored at this moment in the log that is
    /// the registered "EvidenceLog" at this moment, and only for "receiptDays" after the tenure's end. Otherwise a thief
    /// could go on signing receipts dated before the revocation. The price is that receipts not yet anchored
    /// are void from now on: when a key is merely replaced, sign with the new one and anchor before revoking the old.
    function revokeRole(address operator, Role role) external;

    /// @notice Only by vote.
    function setParameter(bytes32 name, uint256 value) external;

    /// @notice Registers a contract, or its successor. Only by vote. What was registered before stays readable but is no
    /// longer a target of proposals.
    function setSystemContract(bytes32 name, address target) external;

    /// @notice Grants a role to an operator of the caller's own member; any role but regulator.
    /// @dev Only a governor in force of an active member. See `grantRole`.
    function grantOwnRole(address operator, Role role, uint64 from, uint64 until) external;

    /// @notice Revokes a role of the caller's own member. A suspended or withdrawn member may do this too.
    /// @dev Only a governor in force. See `revokeRole`.
    function revokeOwnRole(address operator, Role role) external;

    /// @notice Changes the log key of the caller's own member.
    /// @dev Only a governor in force of an active member.
    function setOwnLogKey(bytes32 logKey) external;

    /// @notice Asks that `operator` become a regulator of the caller's own member, until `until` (0 for ever).
    /// @dev Only a governor in force of an active member. A request lapses like a proposal; a new one replaces it.
    function requestRegulator(address operator, uint64 until) external;

    /// @notice Agrees to the request of `member`; the role is in force 48 hours later, unless it is revoked before.
    /// @dev Only a governor in force of another active member, while the governor who asked is in force.
    function secondRegulator(uint16 member, address operator) external;

    /// @notice The member for which `operator` holds `role` now, if that member may act in it.
    /// @dev Reverts otherwise. An active member may act in every role; an anchorer by its tenure alone.
    function roleMember(address operator, Role role) external view returns (uint16 member);

    /// @notice The active member for which these two, not the same, are credit publisher and regulator now; reverts
    /// otherwise.
    function pairMember(address publisher, address regulator) external view returns (uint16 member);

    /// @notice The active members for which these are regulators now, no two for the same: bit n stands for member n.
    /// Reverts otherwise.
    function regulatorMembers(address[] calldata regulators) external view returns (uint256 members);

    /// @notice The tenure of an address in a role, all zeros if it never had one.
    function tenure(address operator, Role role) external view returns (Tenure memory);

    /// @notice A member's present code, name, log key and status; reverts for an unknown number.
    function memberAt(uint16 number)
        external
        view
        returns (bytes32 code, string memory name, bytes32 logKey, Status status);

    /// @notice `Status.None` for an unknown number.
    function statusOf(uint16 number) external view returns (Status);

    /// @notice How many members there have ever been; their numbers are 1 to this.
    function memberCount() external view returns (uint16);

    /// @notice 0 for a parameter never set.
    function parameter(bytes32 name) external view returns (uint256);

    /// @notice The zero address for a contract never registered.
    function systemContract(bytes32 name) external view returns (address);

    /// @notice All zeros for an unknown number.
    function proposal(uint256 id) external view returns (Proposal memory);

    /// @notice The voices that count for a proposal now, and the members that have not withdrawn.
    function tally(uint256 id) external view returns (uint256 voices, uint256 seats);

    /// @notice The journal: uint32 number of events (high) and 224-bit running hash. See libraries/Journal.sol.
    function journal() external view returns (bytes32);
}
