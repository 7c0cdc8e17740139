"""probe: a path to its facts. The bytes are sniffed by our own strict reader first; native parsers see them in a child only."""
