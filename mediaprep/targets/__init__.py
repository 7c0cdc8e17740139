"""The facts that an output will have after it is encoded, rewritten or converted. Pure."""
