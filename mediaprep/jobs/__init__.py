"""Many files: a ledger, a driver over any executor, a watched folder, a cluster."""
