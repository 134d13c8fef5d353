"""Parquet files with an article in each row, as big data is kept.

The columns are the keys of JSON lines: "id", "text", "title", and the metadata. Short, as a row becomes such a line.
"""

import json
from collections.abc import Iterator
from io import BytesIO

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Unreadable
from htxsearch.ingest.readers.base import Line
from htxsearch.ingest.readers.budget import budget
from htxsearch.ingest.readers.rows import line_of_row

__all__ = ["MAGIC", "read_parquet"]

MAGIC = b"PAR1"
"""The first bytes of a Parquet file."""
_AT_ONCE = 200
"""Rows that are unpacked at a time."""


def read_parquet(data: bytes) -> Iterator[Line]:
    """Yield the rows of a Parquet file as lines, numbered from 1.

    A row without an id has one by its title and text. Raises Unreadable.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise Unreadable(message("file.parquet-extra")) from error
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(BytesIO(data), pre_buffer=False) as file:
            groups = range(file.metadata.num_row_groups)
            budget().unpack(sum(file.metadata.row_group(group).total_byte_size for group in groups))
            for batch in file.iter_batches(_AT_ONCE, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield line_of_row(json.loads(json.dumps(row, default=str)), number, "parquet")
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable(message("file.parquet-damaged", error=" ".join(str(error).split()))) from error
