"""What TensorFlow Lite models compute after they are converted to TOSA, where that is another arithmetic."""
