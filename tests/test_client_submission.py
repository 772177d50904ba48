import datetime
from pathlib import Path

import pytest
import skein

from client.skein_driver import credentials, driver_log
from client.skein_driver.driver_process import QUICK_JVM
from client.submission.specification import application_spec
from client.submission.staging import Localised, StagedFiles
from conf import configuration

SETTINGS = configuration.load(
    [],
    [
        ("yarn.application.name", "mnist", "-D"),
        ("yarn.application.queue", "research", "-D"),
        ("jobmanager.memory.process.size", "768m", "-D"),
        ("taskmanager.memory.process.size", "2g", "-D"),
        ("taskmanager.cpu.cores", "3", "-D"),
        ("external-resources", "gpu", "-D"),
        ("external-resource.gpu.amount", "2", "-D"),
        ("external-resource.gpu.yarn.config-key", "yarn.io/gpu", "-D"),
    ],
).settings()
PAIR = credentials.Credentials(b"certificate", b"key")


STAGING = Path("/tmp/staging")


def specification(python="/opt/treadle/bin/python", script="job.py", settings=SETTINGS):
    files = StagedFiles(STAGING / "launch.json", STAGING / "treadle.zip", STAGING / script if script else None)
    return application_spec(settings, python, files, STAGING / "treadle-overlay.jar", PAIR)


def file(name):
    return {"source": f"file:///tmp/staging/{name}", "type": "FILE", "visibility": "APPLICATION", "size": 0, "timestamp": 0}


def test_the_whole_specification():
    assert specification().to_dict() == {
        "name": "mnist",
        "queue": "research",
        "tags": ["treadle"],
        "max_attempts": 1,
        "user": "",
        "node_label": "",
        "file_systems": [],
        "acls": skein.ACLs().to_dict(),
        "master": {
            "resources": {"memory": 768, "vcores": 1, "gpus": 0, "fpgas": 0},
            "script": "exec /opt/treadle/bin/python -I -m yarn_am --launch launch.json",
            "files": {
                "launch.json": file("launch.json"),
                "treadle.zip": file("treadle.zip"),
                "treadle-overlay.jar": file("treadle-overlay.jar"),
                "job.py": file("job.py"),
            },
            "env": {"_JAVA_OPTIONS": " ".join(QUICK_JVM)},
            "log_level": "INFO",
            "security": {"cert_bytes": "certificate", "key_bytes": "key"},
        },
        "services": {
            "tm": {
                "instances": SETTINGS.groups[0].count,
                "resources": {"memory": 2048, "vcores": 3, "gpus": 0, "fpgas": 0},
                "script": "exec /opt/treadle/bin/python -I -m task_manager --launch launch.json",
                "files": {"launch.json": file("launch.json"), "treadle.zip": file("treadle.zip")},
                "env": {},
                "depends": [],
                "max_restarts": 0,
                "allow_failures": True,
                "node_label": "@@tm",
                "nodes": [],
                "racks": [],
                "relax_locality": False,
            }
        },
    }


def test_a_command_ships_no_script():
    assert set(specification(script=None).master.files) == {
        "launch.json",
        "treadle.zip",
        "treadle-overlay.jar",
    }


def test_an_interpreter_with_a_blank_in_its_path_is_quoted():
    spec = specification("/opt/my env/bin/python")
    assert spec.master.script.startswith("exec '/opt/my env/bin/python' -I -m yarn_am")
    assert spec.services["tm"].script.startswith("exec '/opt/my env/bin/python' -I -m task_manager")


def test_the_specification_survives_skeins_own_form():
    spec = specification()
    assert skein.ApplicationSpec.from_protobuf(spec.to_protobuf()).services["tm"].instances == SETTINGS.groups[0].count


def test_credentials_are_what_skein_makes_but_for_the_dates():
    from cryptography import x509

    now = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
    ours = x509.load_pem_x509_certificate(credentials.mint(now).certificate)
    theirs = x509.load_pem_x509_certificate(skein.Security.new_credentials().cert_bytes)
    assert (ours.subject, ours.issuer, ours.version) == (theirs.subject, theirs.issuer, theirs.version)
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid
    assert ours.public_key().key_size == theirs.public_key().key_size == 2048
    assert ours.not_valid_before_utc == now - datetime.timedelta(days=1)
    assert ours.not_valid_after_utc == now + datetime.timedelta(days=365)


def test_credentials_are_for_their_owner_only(tmp_path):
    pair = credentials.mint(datetime.datetime.now(datetime.timezone.utc))
    pair.save(tmp_path)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {".skein.crt": 0o600, ".skein.pem": 0o600}
    assert (tmp_path / ".skein.pem").read_bytes() == pair.key
    assert b"BEGIN PRIVATE KEY" in pair.key
    assert pair.key.decode() not in repr(pair)
    with pytest.raises(FileExistsError):
        pair.save(tmp_path)


@pytest.mark.parametrize(
    ("message", "log", "line"),
    [
        (
            "Failed to submit application, exception:\norg.apache.hadoop.security.AccessControlException: Queue root.x already has 0\n"
            "\tat org.apache.hadoop.Foo.bar(Foo.java:1)",
            "",
            "AccessControlException: Queue root.x already has 0",
        ),
        (
            "Failed to start java process",
            "INFO Driver: up\nError: Could not find or load main class X\n",
            "Error: Could not find or load main class X",
        ),
        (
            "Failed to start java process",
            "Error: Unable to initialize main class X\nCaused by: java.lang.NoClassDefFoundError: org/apache/hadoop/conf/Configuration",
            "NoClassDefFoundError: org/apache/hadoop/conf/Configuration",
        ),
        (
            "Failed to submit application, exception:\nCannot create directory /a. Name node is in safe mode.\nIt was turned on manually.",
            "INFO skein.Driver: Uploading",
            "Cannot create directory /a. Name node is in safe mode.",
        ),
        ("Unable to connect to driver", "", "Unable to connect to driver"),
        ("", "", "no reason was given"),
    ],
    ids=["from the message", "from the log", "the cause in the log", "the first line", "nothing better", "nothing"],
)
def test_the_line_that_says_what_happened(message, log, line):
    assert driver_log.meaningful_line(message, log) == line


UPLOADS = "INFO skein.Driver: Uploading application resources to hdfs://nn/user/ann/.skein/application_1_1\n"


@pytest.mark.parametrize(
    ("log", "target"),
    [
        ("INFO skein.Driver: Driver started\n", None),
        (UPLOADS, "hdfs://nn/user/ann/.skein/application_1_1"),
        (f"{UPLOADS}INFO skein.Driver: Submitting application...\n", None),
    ],
    ids=["before", "while", "after"],
)
def test_an_upload_that_ends_early_is_known(log, target):
    assert driver_log.uploading_to(log) == target


def test_each_group_is_a_service_with_its_own_size_and_label():
    given = [
        ("taskmanager.groups", "train;io"),
        ("taskmanager.group.train.count", "2"),
        ("taskmanager.group.train.node-label", "gpu"),
        ("taskmanager.group.io.memory.process.size", "256m"),
        ("yarn.application.node-label", "cpu"),
    ]
    spec = specification(settings=configuration.load([], [(*pair, "-D") for pair in given]).settings())
    train, io = spec.services["train"], spec.services["io"]
    assert (train.instances, train.node_label, train.resources.memory) == (2, "gpu@@train", 1024)
    assert (io.instances, io.node_label, io.resources.memory) == (1, "cpu@@io", 256)
    assert spec.node_label == "cpu"


def test_what_is_shipped_goes_to_the_master_and_to_every_task_manager_with_its_type():
    shipped = (Localised("env", "file:///tmp/staging/0/env.tgz", True), Localised("lib.zip", "hdfs://nn:8020/lib.zip", False))
    files = StagedFiles(STAGING / "launch.json", STAGING / "treadle.zip", None, shipped)
    spec = application_spec(SETTINGS, "/opt/treadle/bin/python", files, STAGING / "treadle-overlay.jar", PAIR)
    for container in (spec.master, spec.services["tm"]):
        found = {name: (each.source, str(each.type)) for name, each in container.files.items() if name in ("env", "lib.zip")}
        assert found == {"env": ("file:///tmp/staging/0/env.tgz", "ARCHIVE"), "lib.zip": ("hdfs://nn:8020/lib.zip", "FILE")}
