"""The TaskManager: finds and leases its devices, deals them to slots, registers, and runs the job in its slots."""
