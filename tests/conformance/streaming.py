"""Models that remember, fed with many frames in a row beside LiteRT."""

from __future__ import annotations

import numpy as np

from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model
from int8rt.schema import write_model
from int8rt.verify.inputs import make_inputs
from int8rt.verify.oracle import Oracle


def assert_same_bits_frame_by_frame(
    model: Model, frames: int, resets: tuple[int, ...], backends: list[Backend]
) -> None:
    """All outputs of all frames are LiteRT's, in one interpreter; before some frames all variables are reset."""
    generator = np.random.default_rng(1)
    first = make_inputs(model, "random")
    rounds = [[generator.permutation(value.ravel()).reshape(value.shape) for value in first] for _ in range(frames)]
    with Oracle(timeout=300) as oracle:
        expected = oracle.run_in_a_row(write_model(model), rounds, resets=resets)
    told_apart = {result.outputs[0].tobytes() for result in expected}
    assert len(told_apart) > 1, "all frames give the same: nothing is shown"
    for backend in backends:
        interpreter = Interpreter(model_content=model, backend=backend)
        interpreter.allocate_tensors()
        graph = model.subgraphs[0]
        for number, (inputs, result) in enumerate(zip(rounds, expected, strict=True)):
            if number in resets:
                interpreter.reset_all_variables()
            for index, value in zip(graph.inputs, inputs, strict=True):
                interpreter.set_tensor(index, value)
            interpreter.invoke(None if number % 7 else lambda position, index, value: None)  # step by step now and then
            for index, value in zip(graph.outputs, result.outputs, strict=True):
                found = np.asarray(interpreter.get_tensor(index))
                assert found.tobytes() == value.tobytes(), f"{backend}, frame {number}, output {index}"
