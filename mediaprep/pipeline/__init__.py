"""From a source to a verified output: inspect, plan, encode, verify, publish."""
