"""Device drivers: each finds out which devices of one kind this node really has. Loaded by entry point, see `drivers.loading`."""
