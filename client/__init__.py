"""The `submit` command: runs on the edge node, turns what is wanted into a YARN application (or a local one) and follows it."""
