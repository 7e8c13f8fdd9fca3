"""Operators on float32 tensors, every operation in the order of TensorFlow Lite's reference kernels."""
