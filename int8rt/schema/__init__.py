"""Bytes of a .tflite file to `int8rt.model.Model` and back, with every check that untrusted bytes need."""

from __future__ import annotations

from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.checks import check_model
from int8rt.schema.constant import constant_value
from int8rt.schema.limits import Limits
from int8rt.schema.loadable import check_loadable
from int8rt.schema.reader import load_model, read_model
from int8rt.schema.writer import write_model

__all__ = [
    "Limits",
    "ModelBuilder",
    "TensorSpec",
    "check_loadable",
    "check_model",
    "constant_value",
    "load_model",
    "read_model",
    "single_operator_model",
    "write_model",
]
