"""Each contradiction in a model is refused, and the message says where it is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import (
    BlockwiseQuantization,
    ExternalBuffer,
    Metadata,
    Model,
    MultiAxisQuantization,
    Operator,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
    TensorType,
)
from int8rt.schema import Limits, check_loadable, check_model, read_model, write_model
from int8rt.schema import options as o
from tests.schema.models import ALL, chain_model, control_model, conv_model, every_part_model

NO_SCALE = np.zeros(0, np.float32)
NO_ZERO_POINT = np.zeros(0, np.int64)


def graph_with(model: Model, index: int = 0, **changes: Any) -> Model:
    graphs = list(model.subgraphs)
    graphs[index] = dataclasses.replace(graphs[index], **changes)
    return dataclasses.replace(model, subgraphs=tuple(graphs))


def tensor_with(model: Model, index: int, **changes: Any) -> Model:
    tensors = list(model.subgraphs[0].tensors)
    tensors[index] = dataclasses.replace(tensors[index], **changes)
    return graph_with(model, tensors=tuple(tensors))


def operator_with(model: Model, index: int, **changes: Any) -> Model:
    operators = list(model.subgraphs[0].operators)
    operators[index] = dataclasses.replace(operators[index], **changes)
    return graph_with(model, operators=tuple(operators))


def scaled(scale: list[float], zero_point: list[int], dimension: int = 0) -> Quantization:
    return Quantization(np.array(scale, np.float32), np.array(zero_point, np.int64), dimension)


def blocks(scales: int, zero_points: int) -> Quantization:
    return Quantization(NO_SCALE, NO_ZERO_POINT, blockwise=BlockwiseQuantization(scales, zero_points, 32))


CONV = "subgraph 0, operator 0 (CONV_2D): "
REFUSED: list[tuple[Callable[[], Model], str]] = [
    (lambda: dataclasses.replace(conv_model(), subgraphs=()), "the model has no subgraph"),
    (
        lambda: operator_with(conv_model(), 0, inputs=(0, 1, 999)),
        CONV + "input 2 is tensor 999, but the subgraph has 4 tensors",
    ),
    (lambda: operator_with(conv_model(), 0, inputs=(-2, 1, 2)), CONV + "input 0 is tensor -2, but"),
    (lambda: operator_with(conv_model(), 0, outputs=(-1,)), CONV + "output 0 is tensor -1, but"),
    (lambda: operator_with(conv_model(), 0, outputs=(4,)), CONV + "output 0 is tensor 4, but"),
    (lambda: operator_with(conv_model(), 0, intermediates=(-1, 4)), CONV + "intermediate 1 is tensor 4, but"),
    (lambda: graph_with(conv_model(), inputs=(4,)), "subgraph 0: input 0 is tensor 4, but"),
    (lambda: graph_with(conv_model(), outputs=(-1,)), "subgraph 0: output 0 is tensor -1, but"),
    (
        lambda: tensor_with(conv_model(), 1, buffer=3),
        "subgraph 0, tensor 1 (input1): its data is buffer 3, but the model has 3 buffers",
    ),
    (
        lambda: tensor_with(conv_model(), 1, shape=(4, 3, 3, 4)),
        "tensor 1 (input1): int8[4, 3, 3, 4] takes 144 bytes, but buffer 1 has 108",
    ),
    (lambda: tensor_with(conv_model(), 1, type=TensorType.FLOAT64), "takes 864 bytes, but buffer 1 has 108"),
    (lambda: tensor_with(every_part_model(), 0, shape=(3, 4)), "int4[3, 4] takes 6 bytes, but buffer 1 has 5"),
    (lambda: tensor_with(conv_model(), 0, shape=(1, -5, 5, 3)), "its shape (1, -5, 5, 3) has a negative dimension"),
    (
        lambda: tensor_with(conv_model(), 0, shape=(1,) * 33),
        "33 dimensions, more than the 32 of Limits.max_rank",
    ),
    (lambda: tensor_with(conv_model(), 0, shape=(2**31 - 1,) * 32), "has more elements than can be counted"),
    (lambda: tensor_with(conv_model(), 0, shape=(0, 2**30, 2**30)), "has more elements than can be counted"),
    (lambda: tensor_with(conv_model(), 0, shape=(2**31 - 1, 2)), "takes 4294967294 bytes, more than the 2147483648"),
    (lambda: tensor_with(conv_model(), 0, shape_signature=(-1, 5, 5)), "its shape_signature [-1, 5, 5] does not fit"),
    (lambda: tensor_with(conv_model(), 0, shape_signature=(-2, 5, 5, 3)), "its shape_signature [-2, 5, 5, 3] does"),
    (
        lambda: tensor_with(conv_model(), 0, external_buffer=1),
        "external buffer 1, which the model does not list",
    ),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([np.inf], [0])), "a quantization scale is not finite"),
    (
        lambda: tensor_with(conv_model(), 0, quantization=scaled([1, np.nan], [0, 0])),
        "a quantization scale is not finite",
    ),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1], [128])), "a zero point is outside of int8: 128"),
    (lambda: tensor_with(conv_model(), 1, quantization=scaled([1] * 4, [0, 0, 2**40, 0])), "outside of int8: 1099511"),
    (lambda: tensor_with(conv_model(), 2, quantization=scaled([1], [-(2**31) - 1])), "outside of int32: -2147483649"),
    (lambda: tensor_with(every_part_model(), 0, quantization=scaled([1], [-9])), "outside of int4: -9"),
    (
        lambda: tensor_with(conv_model(), 0, quantization=blocks(4, -1)),
        "its scales are tensor 4, its zero",
    ),
    (
        lambda: tensor_with(conv_model(), 0, quantization=blocks(0, -2)),
        "zero points tensor -2, but the subgraph",
    ),
    (lambda: tensor_with(control_model(), 1, shape=(2,)), "its shape (2,) asks for 2 strings, its data has 3"),
    (
        lambda: operator_with(control_model(), 1, options=o.WhileOptions(1, 3)),
        "body_subgraph_index is 3, but the",
    ),
    (
        lambda: operator_with(control_model(), 1, options=o.WhileOptions(-1, 2)),
        "subgraph 0, operator 1 (WHILE): cond_subgraph_index is -1, but the model has 3 subgraphs",
    ),
    (lambda: operator_with(control_model(), 1, options=o.WhileOptions(1, 0)), "subgraph 0 calls itself"),
    (
        lambda: graph_with(
            control_model(), 2, operators=(Operator("WHILE", (0,), (2,), options=o.WhileOptions(1, 0)),)
        ),
        "subgraph 0 calls itself, directly or through others",
    ),
    (
        lambda: dataclasses.replace(chain_model(), signatures=(Signature("s", 1, {}, {}),)),
        "signature 's' is about subgraph 1, but the model has 1 subgraphs",
    ),
    (
        lambda: dataclasses.replace(chain_model(), signatures=(Signature("s", 0, {}, {"y": 7}),)),
        "signature 's': output 'y' is tensor 7, but the subgraph has 7 tensors",
    ),
    (
        lambda: dataclasses.replace(chain_model(), metadata=(Metadata("m", 9),)),
        "metadata 'm' is buffer 9, but the model has 4 buffers",
    ),
    (
        lambda: dataclasses.replace(chain_model(), external_buffers=(ExternalBuffer(3, 0, 0, 1),)),
        "external buffer 3 is in group 0, but the model has 0 groups",
    ),
]


@pytest.mark.parametrize(
    ("make", "message"), REFUSED, ids=[f"{i} {message[:50]}" for i, (_, message) in enumerate(REFUSED)]
)
def test_contradictions_are_refused(make: Callable[[], Model], message: str) -> None:
    data = write_model(make())
    with pytest.raises(ModelError, match=re.escape(message)):
        read_model(data)


@pytest.mark.parametrize("make", ALL)
def test_models_without_contradictions_pass(make: Callable[[], Model]) -> None:
    check_model(make(), Limits())


def test_limits_can_be_moved() -> None:
    model = Model((Subgraph("", (Tensor("t", TensorType.INT8, (1000,)),) * 3, (), (), ()),), (None,))
    check_model(model, Limits(1000, 3000, 1))
    for limits, name in ((Limits(999), "max_tensor_bytes"), (Limits(1000, 2999), "max_total_bytes")):
        with pytest.raises(ModelError, match=name):
            read_model(write_model(model), limits=limits)
    with pytest.raises(ModelError, match="max_rank"):
        check_model(model, Limits(max_rank=0))
    strings = Model((Subgraph("", (Tensor("t", TensorType.STRING, (1000,)),), (), (), ()),), (None,))
    with pytest.raises(ModelError, match="takes 48000 bytes"):
        check_model(strings, Limits(47_999))
    wide = Model((Subgraph("", (Tensor("t", TensorType.INT4, (1000,)),), (), (), ()),), (None,))
    with pytest.raises(ModelError, match="takes 1000 bytes"):
        check_model(wide, Limits(999))


def test_enumerations_out_of_range_name_operator_and_field() -> None:
    model = operator_with(conv_model(), 0, options=o.Conv2DOptions(padding=9))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=re.escape("operator 0 (CONV_2D): Conv2DOptions.padding is 9, not a Padding")):
        read_model(write_model(model))
    model = tensor_with(conv_model(), 3, type=77)
    with pytest.raises(ModelError, match="subgraph 0, tensor 3: type is 77, not a TensorType"):
        read_model(write_model(model))


NOT_LOADED: list[tuple[Callable[[], Model], str]] = [
    (lambda: dataclasses.replace(conv_model(), version=2), "schema version 2"),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1, 1, 1], [0])), "3 scales, but 1 zero points"),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1], [])), "1 scales, but 0 zero points"),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1], [0], 4)), "quantized dimension is 4"),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1], [0], -1)), "quantized dimension is -1"),
    (lambda: tensor_with(conv_model(), 0, quantization=scaled([1, 1], [0, 0], 3)), "2 scales along dimension 3"),
    (lambda: tensor_with(conv_model(), 1, is_variable=True), "but also data"),
    (lambda: tensor_with(control_model(), 3, is_variable=True), "a variable of type resource"),
    (lambda: operator_with(conv_model(), 0, outputs=(0,)), "tensor 0 is both input and output"),
    (lambda: operator_with(control_model(), 2, custom_code=""), "without a custom code"),
]
LOADED: list[Callable[[], Model]] = [
    conv_model,
    chain_model,
    # a scale for every dimension of a scalar, an unused dimension of an unquantized tensor, min and max alone
    lambda: tensor_with(conv_model(), 0, quantization=scaled([], [], 9)),
    lambda: tensor_with(conv_model(), 0, quantization=scaled([1], [0], 3)),
    lambda: tensor_with(chain_model(), 6, quantization=Quantization(NO_SCALE, NO_ZERO_POINT, 7, NO_SCALE)),
    # a constant with more data than it needs
    lambda: dataclasses.replace(
        chain_model(),
        buffers=(None, chain_model().buffers[1] + bytes(16), *chain_model().buffers[2:]),  # type: ignore[operator]
    ),
]


@pytest.mark.parametrize(("make", "message"), NOT_LOADED, ids=[message for _, message in NOT_LOADED])
def test_what_only_the_loader_refuses_can_be_read(make: Callable[[], Model], message: str) -> None:
    model = read_model(write_model(make()))
    with pytest.raises(ModelError, match=message):
        check_loadable(model)


@pytest.mark.parametrize("index", range(len(LOADED)))
def test_what_the_loader_takes(index: int) -> None:
    check_loadable(read_model(write_model(LOADED[index]())))


def test_multi_axis_quantization_must_be_complete() -> None:
    def model(*arguments: Any) -> Model:
        quantization = Quantization(NO_SCALE, NO_ZERO_POINT, multi_axis=MultiAxisQuantization(*arguments))
        return tensor_with(conv_model(), 0, quantization=quantization)

    check_loadable(model(1, -1, 0, (0, 3)))
    for arguments, message in (
        ((1, -1, -1, (0,)), "block size is -1"),
        ((1, -1, 0, ()), "no quantized dimension"),
        ((1, -1, 0, (0, 4)), "quantized dimension is 4"),
    ):
        with pytest.raises(ModelError, match=message):
            check_loadable(model(*arguments))


@pytest.mark.litert
def test_litert_refuses_the_same() -> None:
    from int8rt.verify.oracle import Oracle, OracleError

    def loads(model: Model) -> bool:
        inputs = [
            np.zeros(model.subgraphs[0].tensors[i].shape, model.subgraphs[0].tensors[i].type.dtype)
            for i in model.subgraphs[0].inputs
        ]
        try:
            oracle.run(write_model(model), inputs)
        except OracleError as error:
            refusals.append(str(error))
            return False
        return True

    refusals: list[str] = []
    with Oracle(timeout=30) as oracle:
        for make, message in NOT_LOADED:
            assert not loads(make()), message
        for make in LOADED[:2] + LOADED[-1:]:
            assert loads(make())
    assert len(refusals) == len(NOT_LOADED)
