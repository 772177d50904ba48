"""`submit doctor`: gathers facts of this machine and its cluster, and judges them one by one."""
