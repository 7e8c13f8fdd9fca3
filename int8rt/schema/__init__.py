"""Bytes of a .tflite file to `int8rt.model.Model` and back, with every check that untrusted bytes need."""

from __future__ import annotations

from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.writer import write_model

__all__ = ["ModelBuilder", "TensorSpec", "single_operator_model", "write_model"]
