"""Operators that XNNPACK computes in profile `xnnpack`; what it does not take is left to those of `tflite-opt`."""
