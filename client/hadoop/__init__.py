"""The Hadoop that this machine is configured for: where it is, who we are to it, how its services are spoken to."""
