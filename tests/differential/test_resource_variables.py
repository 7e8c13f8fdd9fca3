"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE beside LiteRT."""

from __future__ import annotations

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


# Others have no NumPy type of their own, by which a variable knows what it holds.
TYPES = (
    *("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("bool", "float16", "float32", "float64", "complex64", "complex128"),
)


@pytest.mark.parametrize("type", [TensorType[name.upper()] for name in TYPES])
def test_variables_of_other_types(type: TensorType) -> None:
    builder = ModelBuilder().input("x", type, (2, 3))
    variable = handle(builder, "v")
    builder.operator("ASSIGN_VARIABLE", [variable, "x"], [])
    builder.output("y", type, (2, 3)).operator("READ_VARIABLE", [variable], ["y"])
    assert_same_bits(builder.build(), [np.arange(6).reshape(2, 3).astype(type.dtype)])


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
