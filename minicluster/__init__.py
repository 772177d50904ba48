"""A real YARN and HDFS cluster on this machine: Hadoop's daemons as separate processes, from Maven's jars, with fake GPUs."""
