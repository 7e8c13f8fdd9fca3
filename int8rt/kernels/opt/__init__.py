"""TensorFlow Lite's optimized kernels, where they need more than another `Rounding`: the profile tflite-opt."""
