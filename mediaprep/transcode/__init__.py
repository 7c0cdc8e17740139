"""From the difference of facts to steps, and their execution."""
