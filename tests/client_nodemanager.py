"""A NodeManager's REST, which gives the logs of an application's containers while they grow."""

from urllib.parse import parse_qs, urlsplit

from client_verbs import APPS, ID

AM, TM = "container_1_0001_01_000001", "container_1_0001_01_000002"
ATTEMPT = "appattempt_1_0001_000001"
SAID = b"2026-01-01 00:00:00,000 INFO task_manager: TaskManager tm-0 starts in c on n\n"


class Node:
    """A NodeManager's REST, whose files grow as the test says: `during` is called before each file is given."""

    def __init__(self, server):
        self._server = server
        self.files = {
            AM: {"job.log": b"main says\n"},
            TM: {"taskmanager.log": SAID, "slot-0.log": b"one\ntwo\nthree\n", "slot-0.err": b"two\n"},
        }
        self.during = lambda container, name: None
        server.answer(f"{APPS}/{ID}/appattempts", {"appAttempts": {"appAttempt": [{"id": 1}]}})
        containers = [{"containerId": name, "nodeHttpAddress": server.url} for name in self.files]
        server.answer(f"{APPS}/{ID}/appattempts/{ATTEMPT}/containers", {"container": containers})
        self.publish()

    def publish(self):
        for container, files in self.files.items():
            path = f"/ws/v1/node/containers/{container}/logs"
            self._server.answers[path] = lambda container=container: (200, {}, self._list(container))
            for name in files:
                self._server.answers[f"{path}/{name}"] = lambda container=container, name=name: self._give(container, name)

    def forget(self):
        for path in [path for path in self._server.answers if path.startswith("/ws/v1/node/")]:
            del self._server.answers[path]

    def _list(self, container):
        found = [{"fileName": name, "fileSize": str(len(text))} for name, text in self.files[container].items()]
        return {"containerLogsInfo": {"containerLogInfo": found, "logAggregationType": "LOCAL", "containerId": container}}

    def _give(self, container, name):
        self.during(container, name)
        size = int(parse_qs(urlsplit(self._server.requests[-1][1]).query)["size"][0])
        return 200, {}, framed(container, name, self.files[container][name], size) if self.files[container][name] else ""


def framed(container, name, text, size):
    head = f"Container: {container} on n:1\nLogAggregationType: LOCAL\n====\nLogType:{name}\nLogLength:{len(text)}\nLogContents:\n"
    return f"{head}{text[size:].decode()}\nEnd of LogType:{name}.This log file belongs to a running container ({container}).\n****\n\n"
