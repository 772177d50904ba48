"""Trains a one-layer softmax network on MNIST with NumPy: `python train.py --input hdfs:///mnist --model hdfs:///mnist/model.npz`.

Takes what `prepare.py` wrote; seconds on two cores. The model is a file with `weights` (784 by 10) and `bias` (10), for pixels of 0 to 255.
"""

from __future__ import annotations

import argparse
import io
import os

# the products here are too small to be shared among threads, which would mostly wait for each other; BLAS reads this when NumPy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds

import treadle

Floats = npt.NDArray[np.float32]

PIXELS, CLASSES, BRIGHTEST = 784, 10, 255

EPOCHS, BATCH = 12, 256
RATE, MOMENTUM = 0.15, 0.9


def read_digits(uri: str) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Returns images (rows of 784, 0 to 1) and labels of a dataset that `prepare.py` wrote."""
    filesystem, path = treadle.open_filesystem(uri)
    table = ds.dataset(path, filesystem=filesystem, format="parquet").to_table().combine_chunks()
    images = np.frombuffer(table["image"].chunk(0).buffers()[1], np.uint8).reshape(-1, PIXELS)
    return images.astype(np.float32) / np.float32(BRIGHTEST), table["label"].to_numpy().astype(np.int64)


def train(images: Floats, labels: npt.NDArray[np.int64], seed: int = 0) -> tuple[Floats, Floats]:
    """Returns weights and bias: gradient descent on the cross entropy, in mini-batches, with momentum and a falling rate."""
    random = np.random.default_rng(seed)
    wanted = np.eye(CLASSES, dtype=np.float32)[labels]
    inputs = np.hstack([images, np.ones((len(images), 1), np.float32)])
    layer = np.zeros((PIXELS + 1, CLASSES), np.float32)
    speed = np.zeros_like(layer)
    for epoch in range(EPOCHS):
        order = random.permutation(len(inputs))
        rate = RATE * (1 - epoch / EPOCHS)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            error = softmax(inputs[chosen] @ layer) - wanted[chosen]
            speed *= MOMENTUM
            speed -= rate / len(chosen) * (inputs[chosen].T @ error)
            layer += speed
    return layer[:PIXELS], layer[PIXELS]


def softmax(scores: Floats) -> Floats:
    """Returns the share of each class in every row."""
    powers: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def save(uri: str, weights: Floats, bias: Floats) -> None:
    """Writes the model, with weights for pixels of 0 to 255."""
    content = io.BytesIO()
    np.savez(content, weights=weights / BRIGHTEST, bias=bias)
    filesystem, path = treadle.open_filesystem(uri)
    with filesystem.open_output_stream(path) as file:
        file.write(content.getvalue())


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, help="URI or path of the directory that prepare.py wrote")
    parser.add_argument("--model", required=True, help="URI or path of the file to write")
    options = parser.parse_args()
    weights, bias = train(*read_digits(f"{options.input}/train"))
    images, labels = read_digits(f"{options.input}/test")
    accuracy = float(np.mean((images @ weights + bias).argmax(axis=1) == labels))
    save(options.model, weights, bias)
    print(f"{options.model}: {accuracy:.2%} of {len(labels):,} test digits are recognised")


if __name__ == "__main__":
    main()
