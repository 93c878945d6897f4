"""How latency is measured: the timing loop, campaigns, references, links and the store."""
