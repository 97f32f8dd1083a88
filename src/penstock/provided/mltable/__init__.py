"""Tables described by an MLTable file. A module of Penstock with the names of the public `mltable` package.

It is found only where the environment does not have that package itself.
"""

from .data_types import DataType, MLTableFileEncoding, MLTableHeaders
from .errors import MLTableError
from .mltable import (
    MLTable,
    from_delimited_files,
    from_delta_lake,
    from_json_lines_files,
    from_parquet_files,
    from_paths,
    load,
)

__all__ = [
    "DataType",
    "MLTable",
    "MLTableError",
    "MLTableFileEncoding",
    "MLTableHeaders",
    "from_delimited_files",
    "from_delta_lake",
    "from_json_lines_files",
    "from_parquet_files",
    "from_paths",
    "load",
]
