"""first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "anchoring_outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("anchoring_outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_anchoring_outbox_waiting"), ["waiting"], unique=False)

    op.create_table(
        "anchoring_proof",
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_proof", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "size"),
    )
    op.create_table(
        "chain_anchor",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member", "generation", "size"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chain_approval",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("proposal", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("governor", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", "log_index"),
    )
    with op.batch_alter_table("chain_approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_approval_proposal"), ["proposal"], unique=False)

    op.create_table(
        "chain_block",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "chain_fault",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.LargeBinary(8), nullable=False),
        sa.Column("promised", sa.LargeBinary(), nullable=True),
        sa.Column("found", sa.LargeBinary(), nullable=True),
        sa.Column("anchor_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("entry", "kind"),
    )
    with op.batch_alter_table("chain_fault", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_fault_member"), ["member"], unique=False)

    op.create_table(
        "chain_generation_end",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member", "generation"),
    )
    op.create_table(
        "chain_journal",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "contract"),
    )
    op.create_table(
        "chain_log_key",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("from_size", sa.BigInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", "log_index"),
    )
    with op.batch_alter_table("chain_log_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_log_key_member"), ["member"], unique=False)

    op.create_table(
        "chain_member",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("log_key", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "number"),
    )
    op.create_table(
        "chain_operator",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("from_time", sa.LargeBinary(8), nullable=False),
        sa.Column("until_time", sa.LargeBinary(8), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "address", "role"),
    )
    with op.batch_alter_table("chain_operator", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_operator_member"), ["member"], unique=False)

    op.create_table(
        "chain_parameter",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "name"),
    )
    op.create_table(
        "chain_proposal",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("governor", sa.LargeBinary(), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.Column("executed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "id"),
    )
    op.create_table(
        "chain_regulator_request",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("until_time", sa.LargeBinary(8), nullable=False),
        sa.Column("lapses_at", sa.BigInteger(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("from_block", "member", "address"),
    )
    op.create_table(
        "chain_system_contract",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("from_block", "name"),
    )
    op.create_table(
        "condition",
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("part", "problem"),
    )
    op.create_table(
        "index_reorganisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("common_block", sa.BigInteger(), nullable=True),
        sa.Column("old_head", sa.BigInteger(), nullable=False),
        sa.Column("old_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "index_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("node_head", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_block", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "log_batch",
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("evidence_log", sa.LargeBinary(length=20), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("anchor_by", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=65), nullable=False),
        sa.PrimaryKeyConstraint("generation", "number"),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "size"),
    )
    op.create_table(
        "log_leaf",
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "commitment"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_period",
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("first_batch", sa.BigInteger(), nullable=False),
        sa.Column("end_batch", sa.BigInteger(), nullable=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("filling", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "number"),
    )
    op.create_table(
        "log_request",
        sa.Column("name", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("log_request")
    op.drop_table("log_period")
    op.drop_table("log_leaf")
    op.drop_table("log_checkpoint")
    op.drop_table("log_batch")
    op.drop_table("index_state")
    op.drop_table("index_reorganisation")
    op.drop_table("condition")
    op.drop_table("chain_system_contract")
    op.drop_table("chain_regulator_request")
    op.drop_table("chain_proposal")
    op.drop_table("chain_parameter")
    with op.batch_alter_table("chain_operator", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_operator_member"))

    op.drop_table("chain_operator")
    op.drop_table("chain_member")
    with op.batch_alter_table("chain_log_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_log_key_member"))

    op.drop_table("chain_log_key")
    op.drop_table("chain_journal")
    op.drop_table("chain_generation_end")
    with op.batch_alter_table("chain_fault", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_fault_member"))

    op.drop_table("chain_fault")
    op.drop_table("chain_block")
    with op.batch_alter_table("chain_approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_approval_proposal"))

    op.drop_table("chain_approval")
    op.drop_table("chain_anchor")
    op.drop_table("anchoring_proof")
    with op.batch_alter_table("anchoring_outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_anchoring_outbox_waiting"))

    op.drop_table("anchoring_outbox")
