"""The input of a `map_batches`: Parquet datasets, cut into fragments, one per file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treadle.storage import open_filesystem

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset


@dataclass(frozen=True)
class Fragment:
    """One input file and its place among all of them."""

    number: int
    path: str
    source: pyarrow.dataset.Fragment


@dataclass(frozen=True)
class Reading:
    """How fragments are read: the dataset's schema, the columns wanted (all if None), rows per batch at most."""

    schema: pa.Schema
    columns: tuple[str, ...] | None
    batch_size: int

    def batches(self, fragment: Fragment) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a fragment, no empty batches. A slot is one core, so that Arrow gets no threads to decode with."""
        columns = None if self.columns is None else list(self.columns)
        batches = fragment.source.to_batches(schema=self.schema, columns=columns, batch_size=self.batch_size, use_threads=False)
        return (batch for batch in batches if batch.num_rows)


def find_fragments(inputs: Sequence[str], columns: Sequence[str] | None, batch_size: int) -> tuple[list[Fragment], Reading]:
    """Returns the files of Parquet datasets in a lasting order, and how to read them.

    Names that begin with `_` or `.` are no data; directories named `key=value` give a column (Hive's layout).

    Raises:
        FileNotFoundError: when an input, or a Parquet file in it, is missing.
        ValueError: when an input is no Parquet, inputs have clashing schemas, or a column is unknown.
    """
    import pyarrow.dataset

    datasets = [_dataset(uri) for uri in inputs]
    sources = [source for dataset in datasets for source in sorted(dataset.get_fragments(), key=_path)]
    fragments = [Fragment(number, _path(source), source) for number, source in enumerate(sources)]
    schema = pyarrow.unify_schemas([dataset.schema for dataset in datasets])
    unknown = sorted(set(columns or ()) - set(schema.names))
    if unknown:
        raise ValueError(f"columns {unknown} are not in the input; it has {schema.names}")
    return fragments, Reading(schema, None if columns is None else tuple(columns), batch_size)


def _dataset(uri: str) -> pyarrow.dataset.Dataset:
    import pyarrow.dataset
    import pyarrow.fs

    filesystem, path = open_filesystem(uri)
    if filesystem.get_file_info(path).type == pyarrow.fs.FileType.NotFound:
        raise FileNotFoundError(f"the input {uri} does not exist")
    try:
        dataset = pyarrow.dataset.dataset(path, filesystem=filesystem, format="parquet", partitioning="hive")
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"the input {uri} is no Parquet dataset: {error}") from error
    if not dataset.files:
        raise FileNotFoundError(f"the input {uri} holds no Parquet file (names that begin with _ or . are not data)")
    return dataset


def _path(source: Any) -> str:
    return str(source.path)
