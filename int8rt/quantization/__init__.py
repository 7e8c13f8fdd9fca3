"""The quantization specification in code, and the only place where rounding is written."""
