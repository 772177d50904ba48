"""Whose file is whose, Hadoop's frames, and lines out of files that grow: no cluster, no network."""

import io

import pytest

from client.logs import files as log_files
from client.logs.aggregated import AggregatedLogs
from client.logs.files import LogFile, Selection, Task
from client.logs.lines import LogLines, tail_start
from client.logs.source import Naming

TM, AM = "container_e17_1700000000000_0001_01_000003", "container_e17_1700000000000_0001_01_000001"


class Memory:
    """A source whose files are what the test says they are now."""

    def __init__(self, **words):
        self.words = {name.replace("_log", ".log").replace("_err", ".err"): text for name, text in words.items()}

    def files(self):
        return [LogFile(TM, name, len(text)) for name, text in self.words.items()]

    def read(self, file, start):
        text = self.words[file.name][start:]
        yield from (text[i : i + 3] for i in range(0, len(text), 3))


@pytest.mark.parametrize(
    ("name", "owner", "expected"),
    [
        ("job.log", "am", Task("job", own=True, stderr=False)),
        ("job.err", "am", Task("job", own=True, stderr=True)),
        ("application.driver.log", "am", Task("am", own=False, stderr=False)),
        ("application.master.log", "am", Task("am/master", own=False, stderr=False)),
        ("gpu.log", "gpu-1", Task("gpu-1", own=False, stderr=False)),
        ("tm.log", "tm-0", Task("tm-0", own=False, stderr=False)),
        ("taskmanager.log", "gpu-1", Task("gpu-1", own=False, stderr=False)),
        ("slot-12.log", "tm-0", Task("tm-0/slot-12", own=True, stderr=False)),
        ("slot-0.err", "tm-0", Task("tm-0/slot-0", own=True, stderr=True)),
        ("metrics.csv", "tm-0", Task("tm-0/metrics.csv", own=False, stderr=False)),
        ("prelaunch.err", "tm-0", Task("tm-0/prelaunch.err", own=False, stderr=False)),
        ("launch_container.sh", "tm-0", None),
        ("directory.info", "am", None),
        ("prelaunch.out", "am", None),
    ],
)
def test_whose_a_file_is(name, owner, expected):
    assert log_files.task(LogFile(TM, name, 1), owner) == expected


def test_an_empty_prelaunch_err_is_nothing_to_name():
    assert log_files.task(LogFile(TM, "prelaunch.err", 0), "tm-0") is None


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), ["job", "tm-1/slot-0", "tm-1/slot-1", "tm-10/slot-0"]),
        (Selection(everything=True), ["am", "am/master", "job", "tm-1", "tm-1/slot-0", "tm-1/slot-1", "tm-10", "tm-10/slot-0"]),
        (Selection(("tm-1",)), ["tm-1", "tm-1/slot-0", "tm-1/slot-1"]),
        (Selection(("tm-1/slot-1", "job")), ["job", "tm-1/slot-1"]),
        (Selection(("am",)), ["am", "am/master"]),
        (Selection(stderr=True), ["tm-1/slot-0 stderr"]),
        (Selection(("tm-1/slot-1",), stderr=True), []),
    ],
)
def test_what_is_asked_for(selection, taken):
    tasks = [Task(name, own="slot" in name or name == "job", stderr=False) for name in ("job", "am", "am/master", "tm-1", "tm-10")]
    tasks += [Task(name, own=True, stderr=False) for name in ("tm-1/slot-0", "tm-1/slot-1", "tm-10/slot-0")]
    tasks.append(Task("tm-1/slot-0", own=True, stderr=True))
    assert sorted(f"{task.name}{' stderr' * task.stderr}" for task in tasks if selection.takes(task)) == taken


def test_the_job_comes_first_and_numbers_count_as_numbers():
    names = ["tm-10/slot-0", "tm-2/slot-10", "tm-2/slot-9", "am/master", "tm-2", "am", "job"]
    tasks = {LogFile(TM, name, 0): Task(name, own=True, stderr=False) for name in names}
    assert [task.name for _, task in log_files.in_order(tasks)] == [
        "job",
        "am",
        "am/master",
        "tm-2",
        "tm-2/slot-9",
        "tm-2/slot-10",
        "tm-10/slot-0",
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2026-01-01 INFO task_manager: TaskManager gpu-3 starts in container_1_0001_01_000002 on node1\n", "gpu-3"),
        ("2026-01-01 INFO drivers: Discovered\n2026-01-01 INFO task_manager: Registered tm-10 with 2 slots\n", "tm-10"),
        ("Traceback (most recent call last):\n", None),
        ("", None),
    ],
)
def test_a_taskmanagers_log_says_whose_it_is(words, expected):
    assert log_files.task_manager(words) == expected


def test_a_container_is_named_once_it_has_said_what_it_is():
    source, naming = Memory(slot_0_log=b"x\n", taskmanager_log=b""), Naming()
    source.words = {"slot-0.log": b"x\n", "taskmanager.log": b""}
    assert naming.tasks(source, source.files(), patient=True) == {}
    assert {task.name for task in naming.tasks(source, source.files(), patient=False).values()} == {"container-3", "container-3/slot-0"}
    source.words["taskmanager.log"] = b"INFO task_manager: TaskManager tm-1 starts in c on n\n"
    assert {task.name for task in naming.tasks(source, source.files(), patient=True).values()} == {"tm-1", "tm-1/slot-0"}


def frame(container, name, content, length=None, end="\n"):
    head = f"Container: {container} on node1_4242\nLogAggregationType: AGGREGATED\n{'=' * 20}\nLogType:{name}\n"
    head += f"LogLastModifiedTime:Tue Nov 24 07:16:13 +0000 2026\nLogLength:{len(content) if length is None else length}\nLogContents:\n"
    return head.encode() + content + f"{end}End of LogType:{name}\n{'*' * 20}\n\n".encode()


def aggregated(*frames):
    logs = AggregatedLogs(io.BytesIO())
    logs.fill(io.BytesIO(b"".join(frames)))
    return logs


def whole(logs, file, start=0):
    return b"".join(logs.read(file, start))


def test_what_yarn_logs_writes_is_taken_apart_by_length():
    impostor = frame(AM, "job.log", b"not a frame\n")
    logs = aggregated(b"a warning of Hadoop's\n", frame(AM, "job.log", b"one\ntwo"), frame(TM, "slot-0.log", impostor), frame(TM, "e", b""))
    assert logs.files() == [LogFile(AM, "job.log", 7), LogFile(TM, "slot-0.log", len(impostor)), LogFile(TM, "e", 0)]
    assert whole(logs, LogFile(AM, "job.log", 7)) == b"one\ntwo"
    assert whole(logs, LogFile(TM, "slot-0.log", 0), 5) == impostor[5:]
    assert whole(logs, LogFile(TM, "e", 0)) == b""


@pytest.mark.parametrize(("start", "expected"), [(0, b"onetwo3"), (2, b"etwo3"), (3, b"two3"), (5, b"o3"), (7, b""), (9, b"")])
def test_a_file_that_was_collected_in_parts_is_one(start, expected):
    logs = aggregated(frame(AM, "job.log", b"one"), frame(TM, "slot-0.log", b"x"), frame(AM, "job.log", b"two"), frame(AM, "job.log", b"3"))
    assert whole(logs, LogFile(AM, "job.log", 7), start) == expected


def test_an_answer_that_breaks_off_keeps_what_came():
    logs = aggregated(frame(AM, "job.log", b"one\ntwo\n", length=100, end="")[:-45])
    assert whole(logs, LogFile(AM, "job.log", 0)) == b"one\ntwo\n"


def given(source, *, tail=None, times=1):
    lines = []
    reader = LogLines(lines.append)
    for _ in range(times):
        for file in source.files():
            reader.read_on(source, file, Task("t", own=True, stderr=False), tail)
    reader.finish_all()
    return [line.line for line in lines]


def test_bytes_are_read_once_and_lines_given_when_whole():
    source, lines = Memory(), []
    reader = LogLines(lambda line: lines.append(line.line))
    for text in (b"on", b"one\n", b"one\ntwo\nthr", b"one\ntwo\nthree\n\xff"):
        source.words["job.log"] = text
        reader.read_on(source, source.files()[0], Task("job", own=True, stderr=False))
    assert lines == ["one", "two", "three"]
    reader.finish_all()
    reader.finish_all()
    assert lines == ["one", "two", "three", "\N{REPLACEMENT CHARACTER}"]


def test_another_source_goes_on_where_the_first_one_ended():
    lines = []
    reader = LogLines(lambda line: lines.append(line.line))
    task = Task("job", own=True, stderr=False)
    nodes, logs = Memory(), aggregated(frame(TM, "job.log", b"one\ntwo\nthree\n"))
    nodes.words["job.log"] = b"one\ntw"
    reader.read_on(nodes, nodes.files()[0], task)
    reader.read_on(logs, logs.files()[0], task)
    assert lines == ["one", "two", "three"]


def test_a_file_that_was_begun_anew_is_read_from_its_beginning():
    source, lines = Memory(), []
    reader = LogLines(lambda line: lines.append(line.line))
    for text in (b"first try\n", b"again\n"):
        source.words["slot-0.log"] = text
        reader.read_on(source, source.files()[0], Task("t", own=True, stderr=False))
    assert lines == ["first try", "again"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\r 10%\r 20%\ndone\n", [" 10%", " 20%", "done"]),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"", []),
    ],
)
def test_lines(text, expected):
    source = Memory()
    source.words["job.log"] = text
    assert given(source, times=2) == expected


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("text", [b"", b"a\nb\nc\n", b"a\nb\nc", b"\n\n\n", b"a\n" + b"b" * 300_000 + b"\nc\n"])
def test_the_last_lines(text, number):
    source = Memory()
    source.words["job.log"] = text
    file = source.files()[0]
    expected = text.splitlines(keepends=True)[-number:] if number else []
    assert text[tail_start(source, file, number) :] == b"".join(expected)
