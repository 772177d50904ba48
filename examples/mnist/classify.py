"""Recognises digits on the devices of the application's slots.

    submit run examples/mnist/classify.py --input hdfs:///mnist/test --model hdfs:///mnist/model.npz --output hdfs:///mnist/predicted

Runs as well without a cluster: `python classify.py …` with local paths. The output is the input with a column `prediction`, and beside
the data files `_summary.json` with the accuracy, images per second, and what each slot did on which device.

BLAS runs with one thread in a slot (`treadle.dask_slot` sees to it): a slot is one core.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as ds

import treadle

logger = logging.getLogger("mnist")

PIXELS = 784

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Scorer = Callable[[Pixels], Floats]


class DigitClassifier(treadle.RichMapFunction):
    """The seeds' `MNISTClassifier`, with batches in place of single images: weights go to the device once, in `open`."""

    def __init__(self, model: str, resource_name: str = "gpu") -> None:
        self.model, self.resource_name = treadle.absolute_uri(model), resource_name

    def open(self, context: treadle.RuntimeContext) -> None:
        """Puts the weights on the slot's device."""
        weights, bias = load_model(self.model)
        devices = context.get_external_resource_infos(self.resource_name)
        self.library, self.score = choose_scorer(weights, bias) if devices else ("NumPy, no device", numpy_scorer(weights, bias))
        names = sorted(device.get_property("uuid") or device.get_property("index") or "?" for device in devices)
        logger.info("Slot %s with %s %s computes with %s", context.slot, self.resource_name, names or "none", self.library)

    def map(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Adds the column `prediction`: the class of the greatest score, the lower one when two are equal."""
        scores = self.score(pixels(batch.column("image")))
        predictions = pa.array(scores.argmax(axis=1).astype(np.int8))
        return pa.record_batch([*batch.columns, predictions], names=[*batch.schema.names, "prediction"])


def load_model(uri: str) -> tuple[Floats, Floats]:
    """Returns weights (784 by 10) and bias (10) of a model that `train.py` wrote."""
    filesystem, path = treadle.open_filesystem(uri)
    with filesystem.open_input_file(path) as file, np.load(file, allow_pickle=False) as model:
        return model["weights"], model["bias"]


def pixels(images: pa.FixedSizeBinaryArray) -> Pixels:
    """Returns the images as rows of 784 bytes, without copying them."""
    flat = np.frombuffer(images.buffers()[1], np.uint8)
    return flat[images.offset * PIXELS : (images.offset + len(images)) * PIXELS].reshape(-1, PIXELS)


def choose_scorer(weights: Floats, bias: Floats) -> tuple[str, Scorer]:
    """Returns what computes on a GPU when a library and a GPU are really there, else NumPy; with its name.

    A slot sees its own GPUs only, so that its first one is number 0 for CUDA, whatever the device's index on the node.
    """
    reasons = []
    for make in (cupy_scorer, torch_scorer):
        try:
            return make(weights, bias)
        except ImportError as error:
            reasons.append(str(error))
    logger.info("No GPU library can be used: %s", "; ".join(reasons))
    return "NumPy", numpy_scorer(weights, bias)


def numpy_scorer(weights: Floats, bias: Floats) -> Scorer:
    """Returns what computes on the CPU."""
    return lambda images: images.astype(np.float32) @ weights + bias


def cupy_scorer(weights: Floats, bias: Floats) -> tuple[str, Scorer]:
    """Returns what computes on the GPU with CuPy.

    Raises:
        ImportError: when there is no CuPy or no GPU for it.
    """
    import cupy

    try:
        cupy.cuda.Device(0).use()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise ImportError(f"CuPy finds no GPU: {error}") from error
    there: tuple[Any, Any] = cupy.asarray(weights), cupy.asarray(bias)
    return "CuPy", lambda images: cupy.asnumpy(cupy.asarray(images).astype(cupy.float32) @ there[0] + there[1])


def torch_scorer(weights: Floats, bias: Floats) -> tuple[str, Scorer]:
    """Returns what computes on the GPU with torch.

    Raises:
        ImportError: when there is no torch or no GPU for it.
    """
    import torch

    if not torch.cuda.is_available():
        raise ImportError("torch finds no GPU")
    there: tuple[Any, Any] = torch.from_numpy(weights).cuda(), torch.from_numpy(bias).cuda()

    def score(images: Pixels) -> Floats:
        scores: Floats = (torch.from_numpy(images.copy()).cuda().float() @ there[0] + there[1]).cpu().numpy()
        return scores

    return "torch", score


@dataclass(frozen=True)
class Summary:
    """What the job found, and how fast."""

    images: int
    accuracy: float
    images_per_second: float
    seconds: float
    seconds_to_first_batch: float | None
    slots: list[dict[str, object]]


def summarise(report: treadle.MapReport) -> Summary:
    """Compares the predictions with the labels."""
    filesystem, path = treadle.open_filesystem(report.output)
    table = ds.dataset(path, filesystem=filesystem, format="parquet").to_table(columns=["label", "prediction"])
    right = int(np.sum(table["label"].to_numpy() == table["prediction"].to_numpy()))
    return Summary(
        images=table.num_rows,
        accuracy=right / table.num_rows,
        images_per_second=report.rows / report.seconds,
        seconds=report.seconds,
        seconds_to_first_batch=report.seconds_to_first_batch,
        slots=[dataclasses.asdict(slot) for slot in report.slots],
    )


def write_summary(summary: Summary, output: str) -> None:
    """Writes `_summary.json` into the output; by its first letter no reader takes it for data."""
    filesystem, path = treadle.open_filesystem(output)
    with filesystem.open_output_stream(f"{path}/_summary.json") as file:
        file.write(json.dumps(dataclasses.asdict(summary), indent=2).encode())


def show(report: treadle.MapReport, summary: Summary) -> None:
    """Prints the table of slots and the result."""
    for slot in report.slots:
        devices = ", ".join(f"{device.resource} {device.index} {device.uuid}".rstrip() for device in slot.devices) or "no device"
        print(f"{slot.task_manager} slot {slot.slot} on {slot.node}: {devices}: {slot.rows:,} images in {slot.seconds_busy:.2f} s")
    print(f"accuracy {summary.accuracy:.2%} of {summary.images:,} images, {summary.images_per_second:,.0f} images/s")
    print(f"output in {report.output}")


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="URI or path of the images, as prepare.py wrote them")
    parser.add_argument("--model", required=True, help="URI or path of the model, as train.py wrote it")
    parser.add_argument("--output", required=True, help="URI or path of a directory that is new or empty")
    parser.add_argument("--resource-name", default="gpu", help="external resource to compute on (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="classify the input so many times over, for more load")
    options = parser.parse_args()
    classifier = DigitClassifier(options.model, options.resource_name)
    report = treadle.map_batches(classifier, [options.input] * options.repeat, options.output)
    summary = summarise(report)
    write_summary(summary, options.output)
    show(report, summary)


if __name__ == "__main__":
    main()
