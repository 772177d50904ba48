"""One opener for every storage, and HDFS without a JVM."""

import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest

from treadle import storage

MEGABYTE = 1 << 20


def write(filesystem, path, content=b"content"):
    with filesystem.open_output_stream(path) as file:
        file.write(content)


def read(filesystem, path):
    with filesystem.open_input_file(path) as file:
        return file.read()


@pytest.mark.parametrize("form", ["uri", "path", "relative"])
def test_local_files_are_opened_by_uri_and_path(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a b#c"
    filesystem, path = storage.open_filesystem({"uri": file.as_uri(), "path": file, "relative": "x/../a b#c"}[form])
    assert (filesystem.type_name, path) == ("local", str(file))


@pytest.mark.parametrize("uri", ["gopher://host/path", "http://host/path"])
def test_an_unknown_scheme_is_answered_with_the_known_ones(uri):
    with pytest.raises(
        ValueError, match=f"'{uri}' can't be opened .*accepted are file://, hdfs://, viewfs://, s3://, gs:// and plain paths"
    ):
        storage.open_filesystem(uri)


def test_an_unknown_driver_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="driver 'webhdfs' is unknown; accepted are 'native' and 'libhdfs'"):
        storage.open_filesystem("hdfs://host:8020/", driver="webhdfs")


def test_a_panic_is_an_os_error_and_an_interrupt_is_not():
    from treadle.hdfs import _as_os_errors

    class PanicException(BaseException):
        pass

    with pytest.raises(OSError, match="hdfs://nn: hdfs-native gave up: empty token"), _as_os_errors("hdfs://nn"):
        raise PanicException("empty token")
    with pytest.raises(KeyboardInterrupt), _as_os_errors("hdfs://nn"):
        raise KeyboardInterrupt


def test_what_hadoop_forbids_is_a_permission_error():
    from treadle.hdfs import _as_os_errors

    said = "RPC error: org.apache.hadoop.security.AccessControlException Permission denied: user=eve\n\tat org.apache.hadoop"
    with pytest.raises(PermissionError, match=r"^/in: RPC error: .*user=eve$"), _as_os_errors("/in"):
        raise RuntimeError(said)


@pytest.fixture
def local(tmp_path):
    return storage.open_filesystem(tmp_path)


@pytest.fixture
def hdfs(cluster, request, monkeypatch):
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    filesystem, path = storage.open_filesystem(f"{cluster.namenode_uri}/{request.node.name.partition('[')[0]}")
    return filesystem, path


@pytest.fixture(params=["local", pytest.param("hdfs", marks=pytest.mark.cluster)])
def place(request):
    """A filesystem and a directory in it, local and on HDFS."""
    filesystem, path = request.getfixturevalue(request.param)
    filesystem.create_dir(path, recursive=True)
    yield filesystem, path
    filesystem.delete_dir(path)


def test_what_is_written_is_read_and_listed(place):
    filesystem, directory = place
    write(filesystem, f"{directory}/a")
    assert read(filesystem, f"{directory}/a") == b"content"
    (info,) = filesystem.get_file_info(pafs.FileSelector(directory, recursive=True))
    assert (info.path, info.type, info.size) == (f"{directory}/a", pafs.FileType.File, 7)
    assert abs(info.mtime_ns / 1e9 - os.stat(".").st_atime) < 10**9  # noqa: PTH116 - a time, not a file
    assert filesystem.get_file_info(f"{directory}/b").type == pafs.FileType.NotFound


def test_odd_names_stay_whole(place):
    filesystem, directory = place
    write(filesystem, f"{directory}/k=a#b?c;d e")
    assert [info.base_name for info in filesystem.get_file_info(pafs.FileSelector(directory))] == ["k=a#b?c;d e"]


def test_of_eight_that_create_one_file_exclusively_one_succeeds(place):
    filesystem, directory = place

    def create(_):
        try:
            storage.create_exclusive(filesystem, f"{directory}/marker")
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == [False] * 7 + [True]


@pytest.mark.parametrize(
    "move", [storage.replace, lambda filesystem, source, target: filesystem.move(source, target)], ids=["replace", "move"]
)
def test_a_file_is_moved_over_another(place, move):
    filesystem, directory = place
    write(filesystem, f"{directory}/old", b"old")
    write(filesystem, f"{directory}/new", b"new")
    move(filesystem, f"{directory}/new", f"{directory}/old")
    assert read(filesystem, f"{directory}/old") == b"new"
    assert filesystem.get_file_info(f"{directory}/new").type == pafs.FileType.NotFound


def test_copies_and_appends(place):
    filesystem, directory = place
    write(filesystem, f"{directory}/a")
    filesystem.copy_file(f"{directory}/a", f"{directory}/b")
    with filesystem.open_append_stream(f"{directory}/b") as file:
        file.write(b" and more")
    assert read(filesystem, f"{directory}/b") == b"content and more"


@pytest.mark.parametrize(
    "use",
    [
        lambda filesystem, path: filesystem.delete_file(path),
        lambda filesystem, path: filesystem.delete_dir(path),
        lambda filesystem, path: filesystem.open_input_file(path),
        lambda filesystem, path: filesystem.get_file_info(pafs.FileSelector(path)),
        lambda filesystem, path: storage.replace(filesystem, path, f"{path}-2"),
    ],
    ids=["delete_file", "delete_dir", "open", "list", "replace"],
)
def test_what_is_missing_is_a_file_not_found_error_of_one_line(place, use):
    filesystem, directory = place
    with pytest.raises(FileNotFoundError, match=r"^[^\n]*missing[^\n]*$"):
        use(filesystem, f"{directory}/missing")


def test_a_directory_can_be_emptied(place):
    filesystem, directory = place
    write(filesystem, f"{directory}/a")
    filesystem.create_dir(f"{directory}/b/c", recursive=True)
    filesystem.delete_dir_contents(directory)
    assert filesystem.get_file_info(pafs.FileSelector(directory)) == []


def test_a_dataset_survives_the_way_to_another_process(place):
    filesystem, directory = place
    pq.write_table(pa.table({"x": range(10)}), f"{directory}/a.parquet", filesystem=filesystem)
    there = pickle.loads(pickle.dumps(ds.dataset(directory, filesystem=filesystem)))
    assert there.filesystem == filesystem
    assert there.to_table()["x"].to_pylist() == list(range(10))


@pytest.mark.cluster
def test_an_error_of_the_namenode_is_one_line(hdfs):
    filesystem, path = hdfs
    write(filesystem, f"{path}/file")
    with pytest.raises(OSError, match=r"^[^\n]*is not a directory[^\n]*$"):
        filesystem.create_dir(f"{path}/file/below")


@pytest.mark.cluster
def test_the_default_filesystem_needs_no_address(hdfs):
    filesystem, path = hdfs
    write(filesystem, f"{path}/file")
    default, same_path = storage.open_filesystem(f"hdfs://{path}/file")
    assert read(default, same_path) == b"content"


@pytest.mark.cluster
def test_arrow_buffers_are_written_fast(hdfs):
    """Guards against the slow path of hdfs-native, which takes what is not `bytes` apart item by item: 9 MB/s."""
    filesystem, path = hdfs
    buffer = pa.py_buffer(bytes(64 * MEGABYTE))
    started = monotonic()
    write(filesystem, f"{path}/large", buffer)
    assert 64 / (monotonic() - started) > 20


FORK_AND_SIGNAL = """
import os, signal, sys
from treadle.storage import open_filesystem
signal.signal(signal.SIGTERM, lambda *_: (print("handled", flush=True), os._exit(7)))
filesystem, path = open_filesystem(sys.argv[1])
filesystem.create_dir(path, recursive=True)
child = os.fork()
if child == 0:
    print(filesystem.get_file_info(path).type.name, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("forked", flush=True)
signal.pause()
"""


@pytest.mark.cluster
def test_a_forked_child_can_use_hdfs_and_sigterm_stays_pythons(cluster, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", FORK_AND_SIGNAL, f"{cluster.namenode_uri}/forked"],
        env=os.environ | cluster.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert [process.stdout.readline(), process.stdout.readline()] == ["Directory\n", "forked\n"]
        process.send_signal(signal.SIGTERM)
        assert (process.stdout.readline(), process.wait(60)) == ("handled\n", 7)
