"""`python -m ledger_service.cli` is `bidledger`."""

from ledger_service.cli import main

main()
