"""credit records and who applies them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "chain_credit_event",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Integer(), nullable=True),
        sa.Column("decided_on", sa.BigInteger(), nullable=True),
        sa.Column("last_day", sa.BigInteger(), nullable=True),
        sa.Column("earlier", sa.BigInteger(), nullable=True),
        sa.Column("measures", sa.String(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("grounds", sa.LargeBinary(), nullable=True),
        sa.Column("pledge", sa.LargeBinary(), nullable=True),
        sa.Column("publisher", sa.LargeBinary(), nullable=False),
        sa.Column("regulator", sa.LargeBinary(), nullable=True),
        sa.Column("objector", sa.Integer(), nullable=True),
        sa.Column("endorsers", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", "log_index"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("chain_credit_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_credit_event_subject"), ["subject"], unique=False)

    op.create_table(
        "chain_credit_record",
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("to_block", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("published_block", sa.BigInteger(), nullable=False),
        sa.Column("published_transaction", sa.Integer(), nullable=False),
        sa.Column("published_log", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("decided_on", sa.BigInteger(), nullable=False),
        sa.Column("last_day", sa.BigInteger(), nullable=False),
        sa.Column("earlier", sa.BigInteger(), nullable=False),
        sa.Column("measures", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "record", "from_block"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("chain_credit_record", schema=None) as batch_op:
        batch_op.create_index(
            "ix_chain_credit_record_published",
            [
                *("published_block", "published_transaction", "published_log"),
                *("state", "last_day", "member", "kind", "measures", "from_block", "to_block"),
            ],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_chain_credit_record_record"), ["record"], unique=False)

    op.create_table(
        "chain_recognition",
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Integer(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("publisher", sa.LargeBinary(), nullable=False),
        sa.Column("regulator", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", "log_index"),
    )
    with op.batch_alter_table("chain_recognition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chain_recognition_member"), ["member"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("chain_recognition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_recognition_member"))

    op.drop_table("chain_recognition")
    with op.batch_alter_table("chain_credit_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_credit_record_record"))
        batch_op.drop_index("ix_chain_credit_record_published")

    op.drop_table("chain_credit_record")
    with op.batch_alter_table("chain_credit_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chain_credit_event_subject"))

    op.drop_table("chain_credit_event")
