import json
import threading

from yarn_am.json_lines import follow


def test_objects_come_as_their_lines_are_completed(tmp_path):
    path, stop = tmp_path / "events.jsonl", threading.Event()
    objects = follow(path, stop)
    path.write_text('{"n": 1}\n{"n": ')
    assert next(objects) == {"n": 1}
    with path.open("a") as file:
        file.write('2}\n{"n": 3}\n')
    assert [next(objects), next(objects)] == [{"n": 2}, {"n": 3}]


def test_what_was_written_before_the_stop_is_still_read(tmp_path):
    path, stop = tmp_path / "events.jsonl", threading.Event()
    stop.set()
    path.write_text('{"n": 1}\n')
    assert list(follow(path, stop)) == [{"n": 1}]


def test_a_file_that_never_comes_is_empty(tmp_path):
    stop = threading.Event()
    stop.set()
    assert list(follow(tmp_path / "none", stop)) == []


def test_lines_that_are_no_object_are_logged_and_skipped(tmp_path, caplog):
    path, stop = tmp_path / "events.jsonl", threading.Event()
    stop.set()
    path.write_bytes(b'nonsense\n[1]\n\n\xff\xfe\n{"n": 1}\n')
    assert list(follow(path, stop)) == [{"n": 1}]
    assert caplog.text.count("no JSON object") == 3


def test_a_writer_in_another_thread_is_followed(tmp_path):
    path, stop = tmp_path / "events.jsonl", threading.Event()

    def write():
        with path.open("a") as file:
            for n in range(1000):
                file.write(json.dumps({"n": n}) + "\n")
        stop.set()

    threading.Thread(target=write).start()
    assert [tree["n"] for tree in follow(path, stop)] == list(range(1000))
