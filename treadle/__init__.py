"""What user code imports in a slot and in a job's main.

Importing this package takes the standard library only; pyarrow, Dask and hdfs-native are imported by the functions that use them.
"""

from treadle.batch_map import map_batches
from treadle.dask_cluster import get_client
from treadle.fragment_error import FragmentError
from treadle.map_report import DeviceReport, MapReport, SlotReport
from treadle.rich_map_function import RichMapFunction
from treadle.runtime_context import ExternalResourceInfo, RuntimeContext, get_runtime_context
from treadle.storage import absolute_uri, open_filesystem

__all__ = [
    "DeviceReport",
    "ExternalResourceInfo",
    "FragmentError",
    "MapReport",
    "RichMapFunction",
    "RuntimeContext",
    "SlotReport",
    "absolute_uri",
    "get_client",
    "get_runtime_context",
    "map_batches",
    "open_filesystem",
]
