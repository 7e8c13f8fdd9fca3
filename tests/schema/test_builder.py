from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import Quantization, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, constant_value, single_operator_model
from int8rt.schema import options as o
from tests.schema.models import chain_model, conv_model

T = TensorType


def test_a_single_operator() -> None:
    spec = TensorSpec(T.INT8, (2, 3), Quantization.per_tensor(0.5, 1))
    state = TensorSpec(T.INT16, (4,), name="state", is_variable=True)
    bias = TensorSpec.constant(np.array([1, 2], np.int32), name="bias")
    model = single_operator_model("ADD", [spec, None, bias, state], [spec], o.AddOptions(), 2, intermediates=[spec])
    (graph,) = model.subgraphs
    (operator,) = graph.operators
    assert [tensor.name for tensor in graph.tensors] == ["input0", "bias", "state", "output0", "intermediate0"]
    assert (operator.name, operator.version, operator.options) == ("ADD", 2, o.AddOptions())
    assert operator.inputs == (0, -1, 1, 2)
    assert operator.outputs == (3,)
    assert operator.intermediates == (4,)
    assert graph.inputs == (0,)
    assert graph.outputs == (3,)
    assert [tensor.is_variable for tensor in graph.tensors] == [False, False, True, False, False]
    value = constant_value(model, graph.tensors[1])
    assert value is not None
    assert value.tolist() == [1, 2]


def test_several_operators_and_a_signature() -> None:
    model = chain_model()
    assert [operator.name for operator in model.subgraphs[0].operators] == [
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    assert model.subgraphs[0].operators[2].inputs == (3, 4, -1)
    (signature,) = model.signatures
    assert (signature.key, dict(signature.inputs), dict(signature.outputs)) == (
        "serving_default",
        {"image": 0},
        {"scores": 6},
    )
    assert model.buffers[model.metadata[0].buffer] == b"2.3.0\0"


def test_the_type_of_a_constant() -> None:
    def type_of(data: object, type: TensorType | None = None) -> TensorType:
        return TensorSpec.constant(data, type=type).type  # type: ignore[arg-type]

    assert type_of(np.zeros(2, np.uint16)) is T.UINT16
    assert type_of(np.zeros(2, np.uint8)) is T.UINT8
    assert type_of(np.zeros(2, np.float16)) is T.FLOAT16
    assert type_of(np.zeros(2, bool)) is T.BOOL
    assert type_of([b"a"]) is T.STRING
    assert type_of(np.array([-8, 7]), T.INT4) is T.INT4
    assert type_of([0.1], T.FLOAT32) is T.FLOAT32


def test_what_does_not_fit_is_refused() -> None:
    for make, message in (
        (lambda b: b.constant("a", [300], type=T.INT8), "outside of int8"),
        (lambda b: b.constant("a", [0.5], type=T.INT32), "outside of int32"),
        (lambda b: b.constant("a", np.array([8]), type=T.INT4), "outside of int4, -8 to 7"),
        (lambda b: b.constant("a", np.array([-3]), type=T.INT2), "outside of int2, -2 to 1"),
        (lambda b: b.constant("a", np.array([16]), type=T.UINT4), "outside of uint4, 0 to 15"),
        (lambda b: b.constant("a", np.zeros(1, np.longdouble)), "no tensor type holds"),
        (lambda b: b.add("a", TensorSpec(T.INT8, (3,), data=np.zeros(2, np.int8))), r"shape \(2,\), the tensor \(3,\)"),
        (lambda b: b.add("a", TensorSpec(T.RESOURCE, (), data=np.array(None, object))), "resource tensors have no"),
        (lambda b: b.constant("a", 1).constant("a", 2), "already a tensor 'a'"),
        (lambda b: b.operator("ADD", ["x"], []), "there is no tensor 'x' in subgraph 'main'"),
    ):
        with pytest.raises(ModelError, match=message):
            make(ModelBuilder())  # type: ignore[no-untyped-call]


@pytest.mark.litert
@pytest.mark.parametrize("outside", [False, True])
def test_litert_runs_what_is_built(outside: bool) -> None:
    from int8rt.schema import write_model
    from int8rt.verify.oracle import Oracle

    with Oracle() as oracle:
        plain = oracle.run(write_model(conv_model()), [np.full((1, 5, 5, 3), 9, np.int8)], read=[1])
        result = oracle.run(write_model(conv_model(), buffers_outside=outside), [np.full((1, 5, 5, 3), 9, np.int8)])
    assert result.outputs[0].shape == (1, 3, 3, 4)
    assert len(np.unique(result.outputs[0])) > 3
    np.testing.assert_array_equal(result.outputs[0], plain.outputs[0])
    weights = constant_value(conv_model(), conv_model().subgraphs[0].tensors[1])
    np.testing.assert_array_equal(plain.tensors[1], weights)
