"""Many files: a ledger, a driver over any ``concurrent.futures.Executor``, a watched folder, a cluster."""
