"""Annotations that say how a field of an options table is stored, e.g. `stride_w: Int32 = 0`.

A type checker sees `int`, `float`, `tuple[int, ...]`; `schema.fields` sees the storage type behind it.
"""

from __future__ import annotations

from typing import Annotated

from int8rt.schema.enums import StablehloPrecisionConfig

Bool = Annotated[bool, "bool"]
Int32 = Annotated[int, "int32"]
UInt32 = Annotated[int, "uint32"]
Int64 = Annotated[int, "int64"]
Float32 = Annotated[float, "float32"]
String = Annotated[str, "string"]
Bytes = Annotated[bytes, "bytes"]
Bools = Annotated[tuple[bool, ...], "[bool]"]
Int32s = Annotated[tuple[int, ...], "[int32]"]
Int64s = Annotated[tuple[int, ...], "[int64]"]
Float32s = Annotated[tuple[float, ...], "[float32]"]
PrecisionConfigs = Annotated[tuple[StablehloPrecisionConfig, ...], "[uint32]"]
