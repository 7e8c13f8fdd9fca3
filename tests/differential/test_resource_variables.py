"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE beside LiteRT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from int8rt.errors import EvaluationError, InputError
from int8rt.interpreter import Interpreter
from int8rt.model import Model, Shape, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema import options as o
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert

FLOAT32, INT32, RESOURCE = TensorType.FLOAT32, TensorType.INT32, TensorType.RESOURCE
X = np.array([1, 2], np.float32)


def handle(builder: ModelBuilder, name: str, container: str = "") -> str:
    """A tensor with the handle of a variable."""
    tensor = f"handle of {container}/{name}"
    builder.tensor(tensor, RESOURCE, ()).operator("VAR_HANDLE", [], [tensor], o.VarHandleOptions(container, name))
    return tensor


def running_sum(start: npt.ArrayLike | None, shape: Shape = (2,)) -> Model:
    """sum = x + what the variable held; the variable becomes the sum. shape: what the file says of what is read."""
    builder = ModelBuilder().input("x", FLOAT32, (2,))
    if start is not None:
        builder.operator("CALL_ONCE", [], [], o.CallOnceOptions(1))
    variable = handle(builder, "total")
    builder.output("before", FLOAT32, shape).operator("READ_VARIABLE", [variable], ["before"])
    builder.output("sum", FLOAT32, (2,)).operator("ADD", ["x", "before"], ["sum"], o.AddOptions())
    builder.operator("ASSIGN_VARIABLE", [variable, "sum"], [])
    builder.subgraph("initialization").constant("start", np.array(0 if start is None else start, np.float32))
    builder.operator("ASSIGN_VARIABLE", [handle(builder, "total"), "start"], [])
    return builder.build()


@pytest.mark.parametrize("start", [[1.5, 2.5], [[1], [2]], [1, 2, 3, 4]])
@pytest.mark.parametrize("shape", [(2,), ()])
def test_what_is_read_has_the_shape_of_the_file_or_where_it_has_none_the_variables_own(
    start: npt.ArrayLike, shape: Shape
) -> None:
    assert_same_bits(running_sum(start, shape), [X])


def test_a_variable_that_nobody_assigned_is_an_error() -> None:
    assert_same_bits(running_sum(None), [X])


# BFLOAT16 has no NumPy type in which LiteRT's Python could show it.
TYPES = [type for type in TensorType if type.bits and type is not TensorType.BFLOAT16]


@pytest.mark.parametrize("shape", [None, (), (2, 2)])
@pytest.mark.parametrize("type", TYPES)
def test_variables_of_other_types(type: TensorType, shape: Shape | None) -> None:
    """shape: what the file says of what is read, None for that of the value."""
    value = (np.arange(15).reshape(3, 5) % 2 ** min(type.bits, 8)).astype(type.dtype)
    if type in (TensorType.INT4, TensorType.INT2):
        value -= 1 << type.bits - 1
    builder = ModelBuilder().constant("x", value, type=type)
    variable = handle(builder, "v")
    builder.operator("ASSIGN_VARIABLE", [variable, "x"], [])
    builder.output("y", type, value.shape if shape is None else shape)
    assert_same_bits(builder.operator("READ_VARIABLE", [variable], ["y"]).build(), [])


def test_a_variable_of_bfloat16() -> None:
    builder = ModelBuilder().input("x", TensorType.UINT16, (2, 3)).tensor("real", TensorType.BFLOAT16, (2, 3))
    builder.operator("BITCAST", ["x"], ["real"]).operator("ASSIGN_VARIABLE", [handle(builder, "v"), "real"], [])
    builder.tensor("read", TensorType.BFLOAT16, (2, 3)).operator("READ_VARIABLE", ["handle of /v"], ["read"])
    builder.output("y", TensorType.UINT16, (2, 3)).operator("BITCAST", ["read"], ["y"])
    assert_same_bits(builder.build(), [np.arange(6, dtype=np.uint16).reshape(2, 3)])


@pytest.mark.parametrize("held", [TensorType.INT8, TensorType.INT4, TensorType.FLOAT8_E5M2])
@pytest.mark.parametrize("read", [TensorType.INT8, TensorType.INT4, TensorType.FLOAT8_E5M2])
def test_types_that_are_int8_in_numpy_are_told_apart(held: TensorType, read: TensorType) -> None:
    builder = ModelBuilder().constant("x", np.array([1, 2], np.int8), type=held)
    builder.operator("ASSIGN_VARIABLE", [handle(builder, "v"), "x"], []).output("y", read, (2,))
    assert_same_bits(builder.operator("READ_VARIABLE", ["handle of /v"], ["y"]).build(), [])


def by_number(assigned: int, read: int, names: Sequence[str], known: bool) -> Model:
    """A variable is assigned and read by a number; then those of VAR_HANDLEs are read, which may be others."""
    builder = ModelBuilder().input("x", INT32, (2,))
    for name, number in (("to", assigned), ("from", read)):
        if known:
            builder.constant(name, np.array([number], np.int32))
        else:
            builder.input(name, INT32, (1,))
    handles = [handle(builder, name) for name in names] * 2
    builder.operator("ASSIGN_VARIABLE", ["to", "x"], [])
    for number, variable in enumerate(["from", *handles]):
        builder.output(f"y{number}", INT32, (2,)).operator("READ_VARIABLE", [variable], [f"y{number}"])
    return builder.build()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("assigned", "read", "names"),
    [(7, 7, ""), (-1, -1, ""), (3, 4, ""), (0, 0, "p"), (1, 1, "p"), (0, 1, "p"), (1, 1, "pq")],
)
def test_variables_by_number(assigned: int, read: int, names: str, known: bool) -> None:
    """A number is that of the VAR_HANDLE among those of the file, where there are so many, else of its own."""
    numbers = [] if known else [np.array([assigned], np.int32), np.array([read], np.int32)]
    assert_same_bits(by_number(assigned, read, names, known), [np.array([1, 2], np.int32), *numbers])


def test_a_variable_of_another_subgraph_by_number() -> None:
    """CALL_ONCE assigns q, which is number 1, since p comes first there."""
    builder = ModelBuilder().constant("one", np.array(1, np.int32)).operator("CALL_ONCE", [], [], o.CallOnceOptions(1))
    builder.output("y", INT32, (2,)).operator("READ_VARIABLE", ["one"], ["y"])
    builder.subgraph("initialization").constant("start", np.array([5, 6], np.int32))
    handle(builder, "p")
    builder.operator("ASSIGN_VARIABLE", [handle(builder, "q"), "start"], [])
    assert_same_bits(builder.build(), [])


def test_a_value_that_was_read_stays_what_it_was_when_the_variable_changes() -> None:
    builder = ModelBuilder().input("x", INT32, (2,))
    variable = handle(builder, "v")
    builder.operator("ASSIGN_VARIABLE", [variable, "x"], [])
    builder.tensor("old", INT32, (2,)).operator("READ_VARIABLE", [variable], ["old"])
    builder.tensor("double", INT32, (2,)).operator("ADD", ["x", "x"], ["double"], o.AddOptions())
    builder.operator("ASSIGN_VARIABLE", [variable, "double"], [])
    builder.output("new", INT32, (2,)).operator("READ_VARIABLE", [variable], ["new"])
    builder.output("both", INT32, (2,)).operator("ADD", ["old", "new"], ["both"], o.AddOptions())
    assert_same_bits(builder.build(), [np.array([1, 2], np.int32)])


def test_variables_are_told_apart_by_container_and_name() -> None:
    builder = ModelBuilder().input("x", INT32, (2,)).tensor("double", INT32, (2,))
    builder.operator("ADD", ["x", "x"], ["double"], o.AddOptions())
    one, other = handle(builder, "v"), handle(builder, "v", "container")
    builder.operator("ASSIGN_VARIABLE", [one, "x"], []).operator("ASSIGN_VARIABLE", [other, "double"], [])
    for name, variable in (("y", one), ("z", other)):
        builder.output(name, INT32, (2,)).operator("READ_VARIABLE", [variable], [name])
    assert_same_bits(builder.build(), [np.array([1, 2], np.int32)])


def test_a_variable_changes_its_type_and_what_is_read_must_be_of_it() -> None:
    builder = ModelBuilder().input("x", INT32, (2,))
    variable = handle(builder, "v")
    builder.operator("ASSIGN_VARIABLE", [variable, "x"], [])
    builder.output("y", FLOAT32, (2,)).operator("READ_VARIABLE", [variable], ["y"])
    assert_same_bits(builder.build(), [np.array([1, 2], np.int32)])


def test_a_handle_passed_into_a_branch() -> None:
    builder = ModelBuilder().input("condition", TensorType.BOOL, ()).input("x", INT32, (2,))
    variable = handle(builder, "v")
    builder.operator("ASSIGN_VARIABLE", [variable, "x"], [])
    builder.output("y", INT32, (2,)).operator("IF", ["condition", variable], ["y"], o.IfOptions(1, 2))
    for name in ("then", "else"):
        builder.subgraph(name).input("handle", RESOURCE, ()).output("y", INT32, (2,))
        builder.operator("READ_VARIABLE", ["handle"], ["y"])
    assert_same_bits(builder.build(), [np.array(True), np.array([1, 2], np.int32)])


def two_signatures() -> Model:
    """put: the variable becomes x, of any length; get: its first two elements, and then it becomes them doubled."""
    builder = ModelBuilder().input("x", INT32, (2,), shape_signature=(-1,))
    builder.operator("ASSIGN_VARIABLE", [handle(builder, "v"), "x"], []).output("x")
    builder.signature("put", {"x": "x"}, {"x": "x"}).subgraph("get").input("unused", INT32, ())
    variable = handle(builder, "v")
    builder.output("y", INT32, (2,)).operator("READ_VARIABLE", [variable], ["y"])
    builder.tensor("z", INT32, (2,)).operator("ADD", ["y", "y"], ["z"], o.AddOptions())
    builder.operator("ASSIGN_VARIABLE", [variable, "z"], [])
    return builder.signature("get", {"unused": "unused"}, {"y": "y"}).build()


def test_subgraphs_take_turns_with_a_variable_whose_shape_changes() -> None:
    content = write_model(two_signatures())
    interpreters = [Interpreter(model_content=content, backend=backend) for backend in ("numpy", "jit")]
    interpreters.append(litert(content))
    for values in ([1, 2], [3, 4], [5, 6, 7], [8, 9]):
        read = []
        for interpreter in interpreters:
            put, get = (interpreter.get_signature_runner(key) for key in ("put", "get"))
            put(x=np.array(values, np.int32))
            read.append([get(unused=np.int32(0))["y"].tolist() for _ in range(3)])
        first, second = values[:2]
        assert read[2] == [[first << i, second << i] for i in range(3)]
        assert read[0] == read[1] == read[2]


def litert(content: bytes) -> Any:
    """LiteRT's interpreter itself: this one it survives."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    return Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_reading_more_than_a_variable_holds_is_an_error(backend: str) -> None:
    interpreter = Interpreter(model_content=running_sum([1.0]), backend=backend)
    interpreter.allocate_tensors()
    with pytest.raises(EvaluationError, match=r"'total' has the shape \[1\], too small for \[2\]"):
        interpreter.invoke()


def test_a_resource_tensor_has_no_data_to_read_or_to_set() -> None:
    interpreter = Interpreter(model_content=running_sum([1.0, 2.0]), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    for call in (interpreter.get_tensor, lambda index: interpreter.tensor(index)()):
        with pytest.raises(InputError, match="of the type resource: it has no data"):
            call(1)
    with pytest.raises(InputError, match="of the type resource: it has no data"):
        interpreter.set_tensor(1, np.zeros((), object))
