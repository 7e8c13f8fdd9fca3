"""Options of control flow, variables, tables and random numbers."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.schema.enums import TensorType
from int8rt.schema.storage import Int32, Int64, String, UInt32


@dataclass(frozen=True, slots=True)
class CallOptions:
    """CALL."""

    subgraph: UInt32 = 0


@dataclass(frozen=True, slots=True)
class CallOnceOptions:
    """CALL_ONCE."""

    init_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class IfOptions:
    """IF."""

    then_subgraph_index: Int32 = 0
    else_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class WhileOptions:
    """WHILE."""

    cond_subgraph_index: Int32 = 0
    body_subgraph_index: Int32 = 0


@dataclass(frozen=True, slots=True)
class VarHandleOptions:
    """VAR_HANDLE."""

    container: String = ""
    shared_name: String = ""


@dataclass(frozen=True, slots=True)
class HashtableOptions:
    """HASHTABLE."""

    table_id: Int32 = 0
    key_dtype: TensorType = TensorType.FLOAT32
    value_dtype: TensorType = TensorType.FLOAT32


@dataclass(frozen=True, slots=True)
class RandomOptions:
    """RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL and MULTINOMIAL."""

    seed: Int64 = 0
    seed2: Int64 = 0
