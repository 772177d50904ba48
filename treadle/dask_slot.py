"""A slot as a Dask worker: `python -m treadle.dask_slot`, in the user's Python, told by environment variables (docs/architecture.md).

It ends with 0 when the scheduler closes it or on SIGTERM, and with 1 when it can't join or loses the scheduler.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from treadle.libraries import needed

_SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A slot is one core: BLAS, OpenMP and Arrow, each taking every core of a node, would fight with the other slots there. Dask's nanny, which
a slot does without, sets the same (`distributed.nanny.pre-spawn-environ`). What the environment says already has precedence."""


def main() -> int:
    """Runs the slot; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # before numpy, which distributed imports when it is there
    for name, value in _SINGLE_THREADED.items():
        os.environ.setdefault(name, value)
    try:
        with needed("distributed", "a slot of a job's main", "dask"):
            from treadle.slot_worker import SlotSettings, serve
        return asyncio.run(serve(SlotSettings.read(os.environ)))
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last line of the slot's log, which the application quotes
    except KeyError as error:
        print(f"{error} is not in the environment; slots are started by Treadle's TaskManager", file=sys.stderr)  # noqa: T201 - as above
    except (TimeoutError, asyncio.TimeoutError, RuntimeError) as error:
        print(f"the slot can't join the scheduler at {os.environ.get('TREADLE_SCHEDULER')}: {error}", file=sys.stderr)  # noqa: T201 - as above
    return 1


if __name__ == "__main__":
    sys.exit(main())
