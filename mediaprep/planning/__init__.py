"""Decisions: check facts against rules, plan the smallest repair, verify its output. Pure."""
