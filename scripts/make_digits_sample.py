"""Trains and quantizes the bundled sample model: handwritten digits, int8 throughout.

Writes int8rt/samples/digits.tflite and int8rt/samples/digits.npz (a dozen test images with their labels). Afterwards
scripts/record_digits_sample.py adds what the reference interpreter gives for them.

    pip install tensorflow==2.21.0 scikit-learn
    python scripts/make_digits_sample.py

Seeds are fixed and TensorFlow is told to be deterministic: on one machine with one version of TensorFlow the same bytes
come out again. Another version or processor may give other weights, and so another model of about the same accuracy.

Data: the "digits" of scikit-learn, the test part of E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
Digits, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49 (CC BY 4.0); scaled here from 8x8 to 16x16.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SAMPLES = Path(__file__).resolve().parent.parent / "int8rt" / "samples"
SEED = 1998
EPOCHS = 60
CALIBRATION_IMAGES = 200

Array = np.ndarray[Any, Any]


def data() -> tuple[Array, Array, Array, Array]:
    """Training images, test images float32[n, 16, 16, 1] in [0, 1], and their labels int64[n]."""
    digits = load_digits()
    images = tf.image.resize(digits.images[..., np.newaxis] / 16.0, (16, 16), method="bilinear").numpy()
    return train_test_split(
        images.astype(np.float32), digits.target, test_size=500, random_state=SEED, stratify=digits.target
    )


def network() -> tf.keras.Model:
    """A small network of the usual parts: convolutions, inverted residuals, both poolings, a dense layer, softmax."""
    layers = tf.keras.layers

    def relu6(x: Any) -> Any:
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    def residual(x: Any) -> Any:
        channels = x.shape[-1]
        y = relu6(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
        y = layers.BatchNormalization()(layers.Conv2D(channels, 1, use_bias=False)(y))
        return layers.Add()([x, y])

    images = layers.Input((16, 16, 1), name="image")
    x = relu6(layers.Conv2D(12, 3, padding="same", use_bias=False)(images))
    x = layers.MaxPooling2D(2)(x)
    x = residual(x)
    x = relu6(layers.Conv2D(24, 1, use_bias=False)(x))
    x = relu6(layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(x))
    x = residual(x)
    x = relu6(layers.Conv2D(32, 3, padding="same", use_bias=False)(x))
    x = layers.AveragePooling2D(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(10)(x)
    return tf.keras.Model(images, layers.Softmax(name="probability")(x), name="digits")


def quantize(model: tf.keras.Model, calibration: Array) -> bytes:
    """Full-integer post-training quantization, int8 input and output, ranges from the calibration images."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content


def run(content: bytes, images: Array) -> tuple[Array, Array]:
    """Quantizes the images by the input tensor's parameters, runs them; the int8 inputs, the probabilities."""
    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], images.shape)
    interpreter.allocate_tensors()
    scale, zero_point = source["quantization"]
    inputs = np.clip(np.rint(images / scale) + zero_point, -128, 127).astype(np.int8)
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    scale, zero_point = target["quantization"]
    return inputs, (interpreter.get_tensor(target["index"]).astype(np.float32) - zero_point) * scale


def choose(labels: Array, probabilities: Array) -> Array:
    """Indices of the first test image of every class, then of the two on which the network is the least sure."""
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    unsure = [int(i) for i in np.argsort(probabilities.max(axis=-1), kind="stable") if i not in first]
    return np.array(first + unsure[:2])


def main() -> None:
    """Trains, quantizes, reports the accuracy of both networks and writes the two files."""
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    train, test, train_labels, test_labels = data()

    model = network()
    steps = EPOCHS * -(-len(train) // 32)
    rate = tf.keras.optimizers.schedules.CosineDecay(5e-3, steps)
    model.compile(tf.keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, train_labels, batch_size=32, epochs=EPOCHS, verbose=0)

    content = quantize(model, train[:CALIBRATION_IMAGES])
    inputs, probabilities = run(content, test)
    chosen = choose(test_labels, probabilities)

    SAMPLES.mkdir(exist_ok=True)
    (SAMPLES / "digits.tflite").write_bytes(content)
    np.savez_compressed(SAMPLES / "digits.npz", inputs=inputs[chosen], labels=test_labels[chosen].astype(np.int8))

    float_accuracy = model.evaluate(test, test_labels, verbose=0)[1]
    int8_accuracy = np.mean(probabilities.argmax(axis=-1) == test_labels)
    print(f"TensorFlow {tf.__version__}; {model.count_params()} parameters; {len(content)} bytes of .tflite")
    print(f"accuracy on {len(test)} test images: float {float_accuracy:.3f}, int8 {int8_accuracy:.3f}")
    print(f"samples: labels {test_labels[chosen].tolist()}, predicted {probabilities[chosen].argmax(-1).tolist()}")


if __name__ == "__main__":
    main()
