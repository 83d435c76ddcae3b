"""Private releases: mechanisms, accounting, and the ledger that every release is charged to."""
