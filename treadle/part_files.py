"""The output of a `map_batches`: one Parquet file per input fragment, seen under its name only when it is whole."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from treadle import storage

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs

logger = logging.getLogger(__name__)

SUCCESS = "_SUCCESS"
"""Empty file that says that the output is complete: Hadoop's `FileOutputCommitter.SUCCEEDED_FILE_NAME`."""


class PartFile:
    """One output file, written under a name that no reader takes for data and renamed at the end.

    The final name goes by the fragment's number alone: one mapped twice, because its slot was lost or was slow to die, leaves one file.
    """

    def __init__(self, filesystem: pyarrow.fs.FileSystem, directory: str, number: int) -> None:
        name = f"part-{number:05d}.parquet"
        self._filesystem = filesystem
        self._path = f"{directory}/{name}"
        self._temporary = f"{directory}/.{name}.{uuid.uuid4().hex}"
        self._writer: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds a batch; the first one sets the schema. A file without batches never comes to be."""
        import pyarrow.parquet

        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._temporary, batch.schema, filesystem=self._filesystem)
        self._writer.write_batch(batch)

    def commit(self) -> None:
        """Closes the file and gives it its name. On HDFS most of this is waiting."""
        if self._writer is not None:
            self._writer.close()
            storage.replace(self._filesystem, self._temporary, self._path)

    def discard(self) -> None:
        """Deletes what was written; called while an error travels, so that a failing deletion is logged and not raised."""
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._filesystem.delete_file(self._temporary)
        except (OSError, ValueError) as error:
            logger.warning("%s is left behind: %s", self._temporary, error)


def finish_output(uri: str) -> None:
    """Deletes the unfinished files that lost slots left behind, and says by `_SUCCESS` that the output is complete, if it doesn't yet."""
    import pyarrow.fs

    filesystem, path = storage.open_filesystem(uri)
    entries = filesystem.get_file_info(pyarrow.fs.FileSelector(path))
    if any(info.base_name == SUCCESS for info in entries):
        return
    for info in entries:
        if info.base_name.startswith(".part-"):
            filesystem.delete_file(info.path)
    storage.create_exclusive(filesystem, f"{path}/{SUCCESS}")
