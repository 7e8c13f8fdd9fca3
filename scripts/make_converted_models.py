"""Makes the models of tests/models with TensorFlow's converter: small ones, in every mode that it has.

    python scripts/make_converted_models.py tests/models [NAME ...]

Needs tensorflow 2.21 and tf-keras 2.21 (tf-keras for the recurrent layers that the converter fuses). Weights are random
from a fixed seed; nothing is trained, since bit-exactness does not ask for accuracy.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

SAMPLES = 16
# Units of recurrent layers whose weights alone are quantized: the converter leaves less than 1024 elements as they are.
LARGE = 32
INT8 = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
INT16 = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
BUILTINS = [tf.lite.OpsSet.TFLITE_BUILTINS]


def weights(*shape: int, seed: int) -> tf.Tensor:
    """Normal numbers that keep the variance of what they are multiplied with."""
    fan_in = int(np.prod(shape[:-1])) or 1
    return tf.constant(np.random.default_rng(seed).normal(0, fan_in**-0.5, shape).astype(np.float32))


def samples(shape: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """What the converter calibrates with."""
    return [np.random.default_rng([seed, i]).uniform(-1, 1, shape).astype(np.float32) for i in range(SAMPLES)]


class Network(tf.Module):
    """Convolutions, a residual sum, pooling, a branch that is concatenated, a matrix product and SOFTMAX."""

    shape = (1, 8, 8, 2)
    hard_swish = False

    def __init__(self) -> None:
        super().__init__()
        self.first = weights(3, 3, 2, 8, seed=1)
        self.depthwise = weights(3, 3, 8, 1, seed=2)
        self.pointwise = weights(1, 1, 8, 8, seed=3)
        self.wide = weights(3, 3, 8, 16, seed=4)
        self.dense = weights(4 * 4 * 24, 4, seed=5)
        self.biases = [weights(size, seed=6 + size) for size in (8, 8, 8, 16, 4)]

    def weight(self, name: str) -> tf.Tensor:
        return getattr(self, name)

    def activation(self, value: tf.Tensor) -> tf.Tensor:
        return value

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        keep, bias = self.activation, self.biases
        x = keep(x)
        x = keep(tf.nn.relu6(tf.nn.conv2d(x, self.weight("first"), 1, "SAME") + bias[0]))
        y = keep(tf.nn.depthwise_conv2d(x, self.weight("depthwise"), [1, 1, 1, 1], "SAME") + bias[1])
        y = keep(tf.nn.relu(tf.nn.conv2d(y, self.weight("pointwise"), 1, "VALID") + bias[2]))
        if self.hard_swish:
            y = y * tf.nn.relu6(y + 3.0) * (1 / 6)
        x = keep(x + y)
        y = keep(tf.nn.conv2d(x, self.weight("wide"), 2, "SAME") + bias[3])
        x = keep(tf.nn.max_pool2d(x, 2, 2, "VALID"))
        x = keep(tf.reshape(tf.concat([x, y], 3), [1, -1]))
        return tf.nn.softmax(keep(tf.matmul(x, self.weight("dense")) + bias[4]))


class Swishing(Network):
    """With an operator that has no 16x8 kernel."""

    hard_swish = True


class Aware(Network):
    """As quantization-aware training leaves it: fake quantization of activations and weights, per channel."""

    bits = 8

    def weight(self, name: str) -> tf.Tensor:
        value = getattr(self, name)
        if name == "depthwise":
            axes, flat = (0, 1, 3), tf.transpose(value, (0, 1, 3, 2))
        else:
            axes, flat = tuple(range(len(value.shape) - 1)), value
        if name == "dense":
            limit = tf.reduce_max(tf.abs(value))
            fake = tf.quantization.fake_quant_with_min_max_vars
            return fake(value, -limit, limit, num_bits=self.bits, narrow_range=True)
        limit = tf.reduce_max(tf.abs(value), axes)
        fake = tf.quantization.fake_quant_with_min_max_vars_per_channel
        value = fake(flat, -limit, limit, num_bits=self.bits, narrow_range=True)
        return tf.transpose(value, (0, 1, 3, 2)) if name == "depthwise" else value

    def activation(self, value: tf.Tensor) -> tf.Tensor:
        return tf.quantization.fake_quant_with_min_max_vars(value, -3.0, 3.0, num_bits=8)


class LowBit(Aware):
    """4-bit weights, one scale a tensor; without the operators that take none."""

    shape = (1, 8, 8, 2)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        x = self.activation(x)
        for name, bias, step in (("first", 0, 1), ("wide", 3, 2)):
            value = getattr(self, name)
            limit = tf.reduce_max(tf.abs(value))
            value = tf.quantization.fake_quant_with_min_max_vars(value, -limit, limit, num_bits=4, narrow_range=True)
            x = self.activation(tf.nn.relu(tf.nn.conv2d(x, value, step, "SAME") + self.biases[bias]))
        return x


class Matrices(tf.Module):
    """A BATCH_MATMUL of two activations and one with a constant, a TRANSPOSE_CONV and elementwise operators."""

    shape = (1, 6, 6, 4)

    def __init__(self) -> None:
        super().__init__()
        self.matrix = weights(6, 6, seed=20)
        self.upwards = weights(3, 3, 4, 4, seed=21)
        self.large = weights(144 * 4, 8, seed=22)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.matmul(x, x, transpose_b=True)[..., :4] + tf.matmul(self.matrix, x)
        x = tf.nn.conv2d_transpose(x, self.upwards, (1, 12, 12, 4), 2, "SAME")
        x = tf.nn.leaky_relu(x, 0.1) * tf.tanh(x) - tf.sigmoid(tf.abs(x))
        x = tf.concat(tf.split(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 2, 3)[::-1], 3)[:, 1:-1, 1:-1]
        x = tf.image.resize(x, (12, 12), "bilinear") + tf.reduce_mean(x, (1, 2), keepdims=True)
        return tf.matmul(tf.reshape(x, (1, -1)), self.large)


def converter_of(module: Any, signature: tf.TensorSpec | None = None) -> Any:
    signature = signature or tf.TensorSpec(module.shape, tf.float32, name="x")
    function = tf.function(module.__call__, input_signature=[signature])
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)


def converted(
    module: Any,
    *,
    optimize: bool = False,
    calibrate: bool = False,
    ops: Any = None,
    io: Any = None,
    converter: Any = None,
    **attributes: Any,
) -> bytes:
    """The model in one mode of the converter. io: the type of inputs and outputs. attributes: of the converter."""
    converter = converter or converter_of(module)
    if optimize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibrate:
        converter.representative_dataset = lambda: ([value] for value in samples(module.shape))
    if ops is not None:
        converter.target_spec.supported_ops = ops
    if io is not None:
        converter.inference_input_type = converter.inference_output_type = io
    for name, value in attributes.items():
        setattr(converter.target_spec if name == "supported_types" else converter, name, value)
    return converter.convert()


MODES: dict[str, dict[str, Any]] = {
    "float32": {},
    "int8_float_io": {"optimize": True, "calibrate": True},
    "int8": {"optimize": True, "calibrate": True, "ops": INT8, "io": tf.int8},
    "int8_uint8_io": {"optimize": True, "calibrate": True, "ops": INT8, "io": tf.uint8},
    "int8_per_tensor": {
        "optimize": True,
        "calibrate": True,
        "ops": INT8,
        "io": tf.int8,
        "_experimental_disable_per_channel": True,
    },
    "dynamic_range": {"optimize": True},
    "float16": {"optimize": True, "supported_types": [tf.float16]},
    "16x8": {"optimize": True, "calibrate": True, "ops": INT16},
    # The float model with the ranges that the converter recorded.
    "calibrated": {"optimize": True, "calibrate": True, "_experimental_calibrate_only": True},
    "16x8_int16_io": {"optimize": True, "calibrate": True, "ops": INT16, "io": tf.int16},
}


def legacy_uint8() -> bytes:
    """Asymmetric uint8 weights, by the converter of TensorFlow 1."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, Network.shape, "x")
        fake = tf.quantization.fake_quant_with_min_max_args
        value, network = fake(x, -1, 1), Network()
        for name, step in (("first", 1), ("depthwise", 1), ("wide", 2)):
            kernel = fake(getattr(network, name), -0.9, 1.1)
            if name == "depthwise":
                value = tf.nn.depthwise_conv2d(value, kernel, [1, 1, 1, 1], "SAME")
            else:
                value = tf.nn.relu6(tf.nn.conv2d(value, kernel, step, "SAME"))
            value = fake(value, -4 if name == "depthwise" else 0, 6)
        value = tf.concat([value, fake(tf.nn.max_pool2d(value, 3, 1, "SAME"), 0, 3)], 3)
        value = fake(tf.nn.avg_pool2d(fake(value, 0, 6), 2, 2, "VALID"), 0, 6)
        converter = v1.lite.TFLiteConverter.from_session(session, [x], [value])
        converter.inference_type = tf.uint8
        converter.quantized_input_stats = {"x": (127.5, 127.5)}
        return converter.convert()


def recurrent(layers: Callable[..., list[Any]], mode: str) -> bytes:
    """A Keras model of recurrent layers, through a SavedModel with fixed shapes, so that LSTM layers are fused."""
    import tf_keras as keras

    keras.utils.set_random_seed(7)
    units = {"units": LARGE} if mode == "dynamic_range" else {}
    shape = (6, LARGE if units else 5)
    model = keras.Sequential([keras.layers.Input(shape, batch_size=1), *layers(keras.layers, **units)])
    model.shape = (1, *shape)
    function = tf.function(model, input_signature=[tf.TensorSpec(model.shape, tf.float32, name="x")])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(model, folder, signatures=function.get_concrete_function())
        return converted(model, converter=tf.lite.TFLiteConverter.from_saved_model(folder), **MODES[mode])


def lstm(layers: Any, units: int = 8) -> list[Any]:
    return [layers.LSTM(units, return_sequences=True), layers.LSTM(6), layers.Dense(3)]


def bidirectional_lstm(layers: Any, units: int = 6) -> list[Any]:
    return [layers.Bidirectional(layers.LSTM(units)), layers.Dense(3)]


def gru(layers: Any, units: int = 6) -> list[Any]:
    return [layers.GRU(units), layers.Dense(3)]


def unrolled_gru(layers: Any, units: int = 6) -> list[Any]:
    return [layers.GRU(units, unroll=True), layers.Dense(3)]


def rnn(layers: Any, units: int = 6) -> list[Any]:
    return [layers.SimpleRNN(units), layers.Dense(3)]


class Loops(tf.Module):
    """WHILE over a computed number of steps, and IF."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        def step(count: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return count + 1, value * 0.5 + tf.reverse(value, [1])

        steps = tf.cast(tf.reduce_sum(tf.abs(x)), tf.int32) % 7
        _, value = tf.while_loop(lambda count, _: count < steps, step, [0, x])
        return tf.cond(tf.reduce_sum(value) > 0.5, lambda: value + x, lambda: tf.tanh(value) - 1)


class Shapes(tf.Module):
    """Shapes that only running tells: SHAPE, RANGE, FILL, WHERE, UNIQUE, GATHER_ND."""

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, ...]:
        rows = tf.shape(x)[0]
        flat = tf.reshape(x, tf.stack([rows * 4]))
        positive = tf.where(flat > 0)
        values, indices = tf.unique(tf.cast(flat * 3, tf.int32))
        filled = tf.fill(tf.stack([rows, 2]), 1.5) * tf.expand_dims(tf.cast(tf.range(rows), tf.float32), 1)
        return tf.gather_nd(flat, positive), values, indices, filled


class Strings(tf.Module):
    """Strings that are only moved."""

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.reshape(x, (3, 2)), tf.gather(x, [5, 0, 0])


class Counter(tf.Module):
    """A running sum in a resource variable: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CALL_ONCE."""

    def __init__(self) -> None:
        super().__init__()
        self.total = tf.Variable(np.float32([[1, 2, 3]]))

    @tf.function(input_signature=[tf.TensorSpec((1, 3), tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        self.total.assign(self.total * 0.5 + x)
        return self.total * 2.0


def svdf() -> bytes:
    """Two SVDF layers, with and without a bias: no layer of Keras becomes one, so the float model is int8rt's."""
    from int8rt.model import ActivationFunctionType, TensorType
    from int8rt.schema import options, write_model
    from int8rt.schema.builder import ModelBuilder, TensorSpec

    float32 = TensorType.FLOAT32
    builder, source, features = ModelBuilder().input("x", float32, (1, 16)), "x", 16
    for layer, (units, rank, memory) in enumerate(((8, 2, 10), (6, 1, 5))):
        names = [f"{name}{layer}" for name in ("feature", "time", "bias", "state", "out")]
        builder.constant(names[0], weights(units * rank, features, seed=40 + layer).numpy())
        builder.constant(names[1], weights(units * rank, memory, seed=42 + layer).numpy())
        if not layer:
            builder.constant(names[2], weights(units, seed=44).numpy())
        builder.add(names[3], TensorSpec(float32, (1, units * rank * memory), is_variable=True))
        builder.tensor(names[4], float32, (1, units))
        given = [source, *names[:2], None if layer else names[2], names[3]]
        relu = options.SVDFOptions(rank=rank, fused_activation_function=ActivationFunctionType.RELU)
        builder.operator("SVDF", given, [names[4]], relu)
        source, features = names[4], units
    builder.constant("matrix", weights(4, features, seed=45).numpy()).output("y", float32, (1, 4))
    builder.operator("FULLY_CONNECTED", [source, "matrix"], ["y"], options.FullyConnectedOptions())
    return write_model(builder.signature("serving_default", {"x": "x"}, {"y": "y"}).build())


def of_a_file(content: bytes, quantized: bool) -> bytes:
    """What the converter makes of a float .tflite file: the ranges, and int8 with int8 inputs and outputs."""
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    samples = np.random.default_rng(7).uniform(-1, 1, (32, 1, 16)).astype(np.float32)
    calibrated = bytes(Calibrator(content).calibrate(lambda: ([sample] for sample in samples)))
    return mlir_quantize(calibrated, input_data_type=tf.int8, output_data_type=tf.int8) if quantized else calibrated


@tf.function(experimental_implements="embedding_matmul")
def embedding(table: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """What the converter makes an EMBEDDING_LOOKUP, if it comes from a SavedModel."""
    return tf.gather(table, ids)


class Tables(tf.Module):
    """GATHER and EMBEDDING_LOOKUP in tables, and BATCH_MATMUL with constant matrices: 1024 numbers each."""

    def __init__(self) -> None:
        super().__init__()
        self.gathered, self.looked_up = weights(64, 16, seed=50), weights(64, 16, seed=51)
        self.matrices = weights(2, 16, 32, seed=52)

    @tf.function(input_signature=[tf.TensorSpec((6,), tf.int32, name="ids")])
    def __call__(self, ids: tf.Tensor) -> tf.Tensor:
        rows = tf.gather(self.gathered, ids) + embedding(self.looked_up, ids)
        return tf.matmul(tf.reshape(rows, (2, 3, 16)), self.matrices)


def tables(optimize: bool) -> bytes:
    module = Tables()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.__call__.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT] if optimize else []
        return converter.convert()


def stateful() -> bytes:
    module = Counter()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.__call__.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.experimental_enable_resource_variables = True
        return converter.convert()


def plain(module: Any, signature: tf.TensorSpec) -> bytes:
    return converter_of(module, signature).convert()


def recipes() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """File names without their ending, and what makes the files."""
    for mode, options in MODES.items():
        yield f"network_{mode}", lambda options=options: converted(Network(), **options)
        yield f"matrices_{mode}", lambda options=options: converted(Matrices(), **options)
    yield "network_16x8_fallback", lambda: converted(Swishing(), **MODES["16x8"] | {"ops": INT16 + BUILTINS})
    yield "network_int8_hard_swish", lambda: converted(Swishing(), **MODES["int8"])
    yield "network_quantization_aware", lambda: converted(Aware(), optimize=True)
    yield "network_quantization_aware_int8", lambda: converted(Aware(), optimize=True, io=tf.int8)
    yield "network_int4", lambda: converted(LowBit(), optimize=True)
    yield "network_fake_quantized", lambda: converted(Aware())
    yield "network_legacy_uint8", legacy_uint8
    for mode in ("float32", "int8", "dynamic_range", "float16", "calibrated"):
        for make in (lstm, bidirectional_lstm):
            yield f"{make.__name__}_{mode}", lambda make=make, mode=mode: recurrent(make, mode)
    for mode in ("float32", "dynamic_range", "float16"):
        for make in (gru, rnn):
            yield f"{make.__name__}_{mode}", lambda make=make, mode=mode: recurrent(make, mode)
    yield "network_calibrated_hard_swish", lambda: converted(Swishing(), **MODES["calibrated"])
    for mode in ("int8", "16x8", "calibrated"):
        yield f"unrolled_gru_{mode}", lambda mode=mode: recurrent(unrolled_gru, mode)
    yield "svdf_float32", svdf
    yield "svdf_calibrated", lambda: of_a_file(svdf(), False)
    yield "svdf_int8", lambda: of_a_file(svdf(), True)
    yield "tables_float32", lambda: tables(False)
    yield "tables_dynamic_range", lambda: tables(True)
    yield "loops", lambda: plain(Loops(), tf.TensorSpec((2, 4), tf.float32, name="x"))
    yield "shapes", lambda: plain(Shapes(), tf.TensorSpec((None, 4), tf.float32, name="x"))
    yield "strings", lambda: plain(Strings(), tf.TensorSpec((6,), tf.string, name="x"))
    yield "stateful", stateful


def main() -> int:
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    failures = 0
    for name, make in recipes():
        if wanted and name not in wanted:
            continue
        try:
            content = make()
        except Exception as error:
            failures += 1
            print(f"{name}: {str(error).strip().splitlines()[:1]}", file=sys.stderr)
            continue
        (folder / f"{name}.tflite").write_bytes(content)
        print(f"{name}: {len(content)} bytes")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
