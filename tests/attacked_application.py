"""A running application that tests attack: one script and two slots, with secrets wherever a user may put one."""

import http.client
import socket
from contextlib import contextmanager
from pathlib import Path

from submitting import running
from test_clean_stop_on_yarn import processes
from test_on_yarn import SMALL, wait_for

from benchmarks.proc import listening_port

SECRET = "correct-horse-battery-staple"
"""Value of a secret variable and of a secret key, to be found nowhere."""

JOB = """\
import json, os, pathlib, time
import treadle

if __name__ == "__main__":
    said = pathlib.Path(os.environ["SAID"])
    client = treadle.get_client()
    slots = client.run(lambda: os.environ["TRICKY"])
    (said / "environment.json").write_text(json.dumps([os.environ["TRICKY"], *slots.values()]))
    (said / "scheduler").write_text(client.scheduler.address)
    (said / "up").touch()
    while not (said / "gate").exists():
        time.sleep(0.05)
    (said / "sum").write_text(str(client.submit(sum, [1, 2, 3]).result()))
"""

DRIVER = """\
import os
from drivers.device import FoundDevice

class Cards:
    def __init__(self, params):
        assert params["api-password"] == "correct-horse-battery-staple"

    def discover(self, amount):
        return [FoundDevice(index=str(os.getpid()), uuid=f"card-{os.getpid()}", visibility={})]
"""


class Victim:
    """A running application of one script and two slots."""

    def __init__(self, cluster, directory, process):
        self.cluster, self.directory, self.process = cluster, directory, process
        self.id = process.stdout.readline().strip()
        self.record = directory / "treadle-home" / "applications" / self.id
        self.tricky = tricky(directory)

    @property
    def page(self):
        return f"{self.cluster.resourcemanager_url}/proxy/{self.id}"

    @property
    def rest_port(self):
        return listening_port(next(pid for pid in processes(self.id) if b"yarn_am" in command_line(pid)))


def tricky(directory):
    commands = f"$(touch {directory}/executed) `touch {directory}/executed` ; touch {directory}/executed #"
    return (
        f"plain \"double\" 'single' \\\\ $HOME ${{HOME}} %PATH% {commands}\nsecond line\ttab \u00e9 * ~ !! &| touch {directory}/executed\n"
    )


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


@contextmanager
def victim_of(cluster, directory):
    (directory / "job.py").write_text(JOB)
    secrets = ["-D", f"external-resource.card.param.api-password={SECRET}", "--env", f"DATABASE_PASSWORD={SECRET}"]
    (directory / "cards.py").write_text(DRIVER)
    card = ["--resource", "card=1", "-D", f"external-resource.card.driver-factory.class={directory / 'cards.py'}:Cards"]
    card += ["-D", f"treadle.lease.directory={directory / 'leases'}"]
    told = ["--env", f"TRICKY={tricky(directory)}", "--env", f"SAID={directory}"]
    arguments = [*SMALL, *card, *secrets, *told, "--taskmanagers", "2", "job.py"]
    with running(arguments, cluster.environment(), directory) as process:
        victim = Victim(cluster, directory, process)
        wait_for(lambda: (directory / "up").exists() or process.poll() is not None, "a job that runs")
        assert process.poll() is None, process.stderr.read()
        yield victim


def tcp_listeners(pid):
    """The addresses that a process listens at, by the kernel's tables; "" for all of them."""
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    tables = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]]
    bound = [fields[1].split(":") for fields in tables if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes]
    return [(socket.inet_ntoa(bytes.fromhex(host[-8:])[::-1]) if int(host, 16) else "", int(port, 16)) for host, port in bound]


def asked(port, method, path, host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.putrequest(method, path)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
