"""Models made by hand that together use every part of the schema."""

from __future__ import annotations

import dataclasses

import numpy as np

from int8rt.model import (
    BlockwiseQuantization,
    DimensionMetadata,
    ExternalBuffer,
    Model,
    MultiAxisQuantization,
    Operator,
    Quantization,
    Sparsity,
    Subgraph,
    Tensor,
    TensorType,
    VariantTensor,
)
from int8rt.schema import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema import options as o
from int8rt.schema.enums import ActivationFunctionType, Padding

T = TensorType
NO_SCALE = np.zeros(0, np.float32)
NO_ZERO_POINT = np.zeros(0, np.int64)


def conv_model(channels: int = 4) -> Model:
    """A per-axis int8 convolution with bias."""
    rng = np.random.default_rng(channels)
    scales = rng.uniform(0.01, 0.1, channels).astype(np.float32)
    zeros = np.zeros(channels, np.int64)
    return single_operator_model(
        "CONV_2D",
        [
            TensorSpec(T.INT8, (1, 5, 5, 3), Quantization.per_tensor(0.5, -1)),
            TensorSpec.constant(
                rng.integers(-127, 128, (channels, 3, 3, 3)).astype(np.int8), Quantization.per_axis(scales, zeros, 0)
            ),
            TensorSpec.constant(
                rng.integers(-500, 500, channels).astype(np.int32), Quantization.per_axis(scales / 2, zeros, 0)
            ),
        ],
        [TensorSpec(T.INT8, (1, 3, 3, channels), Quantization.per_tensor(0.3, 2))],
        o.Conv2DOptions(Padding.SAME, 2, 2, ActivationFunctionType.RELU),
        version=3,
    )


def chain_model() -> Model:
    """Several quantized operators, a signature, metadata and an absent optional input."""
    q = Quantization.per_tensor
    weights = np.arange(-24, 24, dtype=np.int8).reshape(3, 16)
    return (
        ModelBuilder("a chain")
        .input("x", T.INT8, (1, 4, 4, 1), q(0.25, 3), shape_signature=(-1, 4, 4, 1))
        .tensor("pooled", T.INT8, (1, 4, 4, 1), q(0.25, 3))
        .constant("shape", np.array([1, 16], np.int32))
        .tensor("flat", T.INT8, (1, 16), q(0.25, 3))
        .constant("weights", weights, q(0.02, 0))
        .tensor("logits", T.INT8, (1, 3), q(0.1, -4))
        .output("y", T.INT8, (1, 3), q(1 / 256, -128))
        .operator("MAX_POOL_2D", ["x"], ["pooled"], o.Pool2DOptions(Padding.SAME, 1, 1, 2, 2), version=2)
        .operator("RESHAPE", ["pooled", "shape"], ["flat"], o.ReshapeOptions((1, 16)))
        .operator("FULLY_CONNECTED", ["flat", "weights", None], ["logits"], o.FullyConnectedOptions(), version=4)
        .operator("SOFTMAX", ["logits"], ["y"], o.SoftmaxOptions(beta=1.0), version=2)
        .signature("serving_default", {"image": "x"}, {"scores": "y"})
        .metadata("min_runtime_version", b"2.3.0\0")
        .build()
    )


def sparse_weights() -> tuple[TensorSpec, np.ndarray]:
    """A 4x8 constant whose rows are dense and whose columns are CSR blocks of four; and its dense value."""
    dense = np.zeros((4, 8), np.int8)
    dense[0, 4:] = [1, 2, 3, 4]
    dense[2, :4] = [5, 0, 7, 8]
    dense[2, 4:] = [-1, -2, -3, -4]
    stored = np.array([1, 2, 3, 4, 5, 0, 7, 8, -1, -2, -3, -4], np.int8)
    columns = DimensionMetadata(True, 0, np.array([0, 1, 1, 3, 3], np.uint8), np.array([1, 0, 1], np.uint16))
    sparsity = Sparsity((0, 1, 2), (1,), (DimensionMetadata(False, 4), columns, DimensionMetadata(False, 4)))
    spec = TensorSpec(T.INT8, (4, 8), Quantization.per_tensor(0.5), raw=stored.tobytes(), sparsity=sparsity)
    return spec, dense


def control_model() -> Model:
    """A loop over a variable handle: three subgraphs that call each other, strings, and a call of a custom operator."""
    shape: tuple[int, ...] = (1,)
    builder = (
        ModelBuilder()
        .input("n", T.INT32, shape)
        .constant("words", np.array([b"zero", b"", "één".encode()], object))
        .add("state", TensorSpec(T.INT16, (2, 3), is_variable=True))
        .tensor("handle", T.RESOURCE, ())
        .tensor("boxes", T.FLOAT32, (1, 4))
        .output("result", T.INT32, shape)
        .operator("VAR_HANDLE", [], ["handle"], o.VarHandleOptions("", "counter"))
        .operator("WHILE", ["n"], ["result"], o.WhileOptions(1, 2))
        .operator("CUSTOM", ["result", None], ["boxes"], custom_code="My_Op", custom_options=b"\x01\x02\x03", version=2)
        .operator("IF", ["n"], ["result"], o.IfOptions(1, 1))
    )
    builder.subgraph("condition").input("n", T.INT32, shape).constant("limit", np.array([10], np.int32))
    builder.output("more", T.BOOL, shape).operator("LESS", ["n", "limit"], ["more"], o.LessOptions())
    builder.subgraph("body").input("n", T.INT32, shape).constant("one", np.array([1], np.int32))
    builder.output("m", T.INT32, shape).operator("ADD", ["n", "one"], ["m"], o.AddOptions(pot_scale_int16=False))
    return builder.build()


def every_part_model() -> Model:
    """What the builder has no method for, too: every kind of quantization, packed and sparse data, external files."""
    weights, _ = sparse_weights()
    detailed = [
        Quantization(NO_SCALE, NO_ZERO_POINT, 1, blockwise=BlockwiseQuantization(2, -1, 32, (1, 32))),
        Quantization(NO_SCALE, NO_ZERO_POINT, 0, multi_axis=MultiAxisQuantization(2, 3, 0, (0, 1))),
        Quantization(NO_SCALE, NO_ZERO_POINT, 0, custom=b"\x05\x06"),
        Quantization(NO_SCALE, NO_ZERO_POINT, 0, np.array([-1.5], np.float32), np.array([2.5], np.float32)),
    ]
    builder = ModelBuilder()
    for i, type in enumerate((T.INT4, T.INT2, T.UINT4)):
        builder.constant(f"packed{i}", np.array([[1, 0, 1], [0, 1, 1], [1, 0, 0]], type.dtype), type=type)
    for type in TensorType:
        builder.tensor(f"of {type.label}", type, (1, 2))
    builder.constant("none", np.zeros((0,), np.int32)).constant("scalar", np.float32(2.5)).add("sparse", weights)
    model = builder.build()
    tensors = list(model.subgraphs[0].tensors)
    for i, quantization in enumerate(detailed):
        tensors[i] = dataclasses.replace(tensors[i], quantization=quantization)
    tensors[4] = dataclasses.replace(tensors[4], external_buffer=7, has_rank=False)
    variant = VariantTensor((2, 3), T.FLOAT32, True)
    tensors.append(Tensor("list", T.VARIANT, (), variant_tensors=(variant, VariantTensor((), T.INT8))))
    operators = (
        Operator("UNKNOWN_4321", (0, -1), (5,), version=9),
        Operator("STABLEHLO_CASE", (0,), (6,), options=o.StablehloCaseOptions((1,))),
        Operator(
            "STABLEHLO_CONVOLUTION",
            (0, 1),
            (7,),
            options=o.StablehloConvolutionOptions((1, 2), (0, 0, 1, 1), window_reversal=(True, False)),
            intermediates=(2, -1),
            mutating_variable_inputs=(False, True),
            debug_metadata_index=3,
        ),
        Operator("FULLY_CONNECTED", (0,), (8,), options=o.FullyConnectedOptions(quant_spec=b"w4")),
    )
    graph = Subgraph("", tuple(tensors), (4,), (5,), operators, debug_metadata_index=1)
    return dataclasses.replace(
        model,
        subgraphs=(graph, Subgraph("branch", (), (), (), ())),
        metadata_buffer=(0, 1),
        external_buffer_groups=("weights.bin", "more.bin"),
        external_buffers=(ExternalBuffer(7, 1, 2**40, 2, "none"),),
    )


ALL = (conv_model, chain_model, control_model, every_part_model)
