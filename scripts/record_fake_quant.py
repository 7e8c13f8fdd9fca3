"""Records what TensorFlow and TensorFlow Model Optimization answer, for tests/quantization/test_fake_quant_recorded.py.

Needs tensorflow, tensorflow-model-optimization and tf-keras; run: python scripts/record_fake_quant.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf
from tensorflow_model_optimization.python.core.quantization.keras import quant_ops

TARGET = Path(__file__).resolve().parent.parent / "tests/quantization/fake_quant.npz"
RANGES = [(-1.0, 2.0), (0.0, 6.0), (-3.3, 0.0), (-0.1, 12.7), (-6.0, 6.0), (0.3, 0.9), (0.0, 0.0), (-1e-3, 7e-4)]
QUANTIZERS = {
    "last": quant_ops.LastValueQuantize,
    "all": quant_ops.AllValuesQuantize,
    "moving": quant_ops.MovingAvgQuantize,
}


def operators(found: dict[str, Any], rng: np.random.Generator) -> None:
    """The operators and their gradients, which are multiples of 1/8: any order of summation gives the same bits."""
    low, high = np.array(RANGES, np.float32).T
    steps = rng.integers(-40, 300, (90, len(RANGES))) / 2  # ties and their neighbours
    x = (low + steps * np.maximum(high - low, 0.1) / 255).astype(np.float32)
    x[60:] = rng.normal(0, 4, (30, len(RANGES)))
    far = np.repeat(np.array([[-1e9], [1e9]], np.float32), len(RANGES), 1)
    ends = [
        tf.quantization.fake_quant_with_min_max_vars_per_channel(far, low, high, num_bits=bits, narrow_range=narrow)
        for bits in (2, 4, 8, 16)
        for narrow in (False, True)
    ]
    x = np.concatenate([x, *ends])  # the ends of the nudged ranges, which are inside
    gradient = (rng.integers(-64, 64, x.shape) / 8).astype(np.float32)
    found |= {"x": x, "gradient": gradient, "low": low, "high": high}
    for bits in (2, 4, 8, 16):
        for narrow in (False, True):
            options = {"num_bits": bits, "narrow_range": narrow}
            with tf.GradientTape() as tape:
                sources = [tf.Variable(item) for item in (x, low, high)]
                result = tf.quantization.fake_quant_with_min_max_vars_per_channel(*sources, **options)
            answers = [result, *tape.gradient(result, sources, tf.constant(gradient))]
            columns = []
            for i in range(len(RANGES)):
                with tf.GradientTape() as tape:
                    sources = [tf.Variable(item) for item in (x[:, i], low[i], high[i])]
                    result = tf.quantization.fake_quant_with_min_max_vars(*sources, **options)
                columns.append([result, *tape.gradient(result, sources, tf.constant(gradient[:, i]))])
            for part, name in enumerate(("y", "dx", "dlow", "dhigh")):
                found[f"channel_{bits}_{int(narrow)}_{name}"] = answers[part].numpy()
                found[f"tensor_{bits}_{int(narrow)}_{name}"] = np.stack([c[part].numpy() for c in columns], -1)


def quantizers(found: dict[str, Any], rng: np.random.Generator) -> None:
    """The ranges after each of some batches; the result of the last."""
    batches = (rng.normal(0.3, 1, (40, 6, 3)) * np.linspace(0.5, 9, 40)[:, None, None]).astype(np.float32)
    found["batches"] = batches
    for name, quantize in QUANTIZERS.items():
        for channels in (False, True) if name != "all" else (False,):
            for symmetric in (False, True):
                for narrow in (False, True):
                    start = 0.0 if name == "all" else 6.0
                    low, high = (tf.Variable(np.full((3,) if channels else (), s, np.float32)) for s in (-start, start))
                    extra = {} if name == "all" else {"per_channel": channels}
                    ranges = []
                    for batch in batches:
                        options = {"symmetric": symmetric, "narrow_range": narrow, **extra}
                        result = quantize(tf.constant(batch), low, high, is_training=True, num_bits=8, **options)
                        ranges.append([low.numpy(), high.numpy()])
                    key = f"{name}_{int(channels)}_{int(symmetric)}_{int(narrow)}"
                    found[f"{key}_ranges"], found[f"{key}_y"] = np.array(ranges), result.numpy()


def main() -> None:
    """Write the file."""
    found: dict[str, Any] = {}
    rng = np.random.default_rng(7)
    operators(found, rng)
    quantizers(found, rng)
    np.savez_compressed(TARGET, **found)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, TensorFlow {tf.__version__}")


if __name__ == "__main__":
    main()
