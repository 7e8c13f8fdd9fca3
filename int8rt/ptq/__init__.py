"""Post-training quantization: a float .tflite and samples in, a quantized .tflite out.

calibrate   runs the float model over samples and writes the range of every activation into it
ranges      how a range is taken from values: extremes, moving average, percentile, least error
samples     samples from files; resuming: an interrupted calibration goes on
recipe      what is quantized how
quantize    calibrated model and recipe in, quantized model out
rules       which operators can be quantized, and what they ask of scales
scales      the scale and zero point of every activation
weights     constants in their quantized forms
lstm, svdf  operators with states, and weights beside them
dynamic     integer weights beside float activations
choice      which operators become integer, with which scales
values      activations as integers and as floats
debug       every tensor of a quantized model beside the float model's; matching, difference, reasons: parts of it
evaluate    accuracies on labelled samples
rewrite     one subgraph, quantized
draft       a subgraph while it is being rewritten

The formulas are in `int8rt.quantization.from_ranges`.
"""

from __future__ import annotations

from int8rt.ptq.calibrate import Calibration, calibrate
from int8rt.ptq.quantize import Quantized, quantize
from int8rt.ptq.recipe import Recipe, RecipeRule, read_recipe

__all__ = ["Calibration", "Quantized", "Recipe", "RecipeRule", "calibrate", "quantize", "read_recipe"]
