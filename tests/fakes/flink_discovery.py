#!/usr/bin/env python3
"""What Flink's nvidia-gpu-discovery.sh does with its coordination file, its faults included, for machines that don't have Flink.

`flink_discovery.py <amount> --enable-coordination-mode --coordination-file FILE`: opens the file as descriptor 200 and locks that; takes
indices that no row names; then those of dead owners, whose rows it deletes by `sed -i`: a new file takes the place of the locked one, and
every row with the text `<index> ` in it is gone; appends `<index> <parent's pid>` to whatever lies there now.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    amount, file = int(sys.argv[1]), Path(sys.argv[4])
    shown = subprocess.run(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], stdout=subprocess.PIPE, text=True, check=True)
    os.dup2(os.open(file, os.O_RDWR | os.O_CREAT, 0o644), 200)
    fcntl.flock(200, fcntl.LOCK_EX)
    indices = shown.stdout.split()
    rows = dict(row.split() for row in file.read_text().splitlines())
    taken = [index for index in indices if index not in rows][:amount]
    for index in indices:
        if (
            len(taken) < amount
            and index in rows
            and subprocess.run(["ps", "-p", rows[index]], stdout=subprocess.DEVNULL, check=False).returncode
        ):
            subprocess.run(["sed", "-i", f"/{index} /d", str(file)], check=True)
            taken.append(index)
    if len(taken) < amount:
        sys.stdout.write("Could not get enough GPU resources.\n")
        return 1
    with file.open("a") as appended:
        appended.writelines(f"{index} {os.getppid()}\n" for index in taken)
    sys.stdout.write(",".join(taken) + "\n")
    return 0


sys.exit(main())
