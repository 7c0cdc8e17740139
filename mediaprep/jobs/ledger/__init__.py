"""The job ledger: an SQLite database that records every source, its status and its outputs."""
