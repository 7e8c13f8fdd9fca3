"""The child process of `oracle`: reads pickled requests from stdin, runs LiteRT, writes pickled replies to stdout."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np


def main() -> None:
    """Serve requests until stdin ends."""
    # The interpreter may print to file descriptor 1; the replies keep a private copy of it.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    while header := sys.stdin.buffer.read(8):
        (size,) = struct.unpack("<Q", header)
        request = pickle.loads(sys.stdin.buffer.read(size))
        try:
            reply = run(request)
        except (RuntimeError, ValueError) as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        _send(replies, reply)
        del request, reply  # they may be large


def _send(stream: BinaryIO, reply: dict[str, Any]) -> None:
    """The number of frames, then each with its size before it: the pickle, and the arrays' memory."""
    arrays: list[pickle.PickleBuffer] = []
    payload = pickle.dumps(reply, protocol=5, buffer_callback=arrays.append)
    stream.write(struct.pack("<Q", 1 + len(arrays)))
    for frame in (memoryview(payload), *(array.raw() for array in arrays)):
        stream.write(struct.pack("<Q", len(frame)))
        stream.write(frame)
    stream.flush()


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One model, one or several invocations."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {
        "ref": OpResolverType.BUILTIN_REF,
        "opt": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        "xnnpack": OpResolverType.BUILTIN,
    }[request["resolver"]]
    interpreter = Interpreter(
        model_content=request["model"],
        experimental_op_resolver_type=resolver,
        experimental_preserve_all_tensors=bool(request["read"]),
        num_threads=request["num_threads"],
    )
    details = interpreter.get_input_details()
    rounds = request["rounds"]
    if rounds is None:
        rounds = [[np.zeros(detail["shape"], detail["dtype"]) for detail in details]]
    for inputs in rounds:
        if len(details) != len(inputs):
            raise ValueError(f"the model has {len(details)} inputs, {len(inputs)} were given")
    for detail, value in zip(details, rounds[0], strict=True):
        if tuple(detail["shape"]) != value.shape:
            interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    results = []
    for number, inputs in enumerate(rounds):
        if number in request["resets"]:
            interpreter.reset_all_variables()
        results.append(invoke(interpreter, inputs, request["read"]))
    return {"rounds": results}


def invoke(interpreter: Any, inputs: Sequence[Any], read: Sequence[int]) -> dict[str, Any]:
    """One invocation: outputs and the tensors to be read."""
    for detail, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], value)
    start = time.perf_counter()
    interpreter.invoke()
    seconds = time.perf_counter() - start
    outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
    tensors = {}
    for index in read:
        try:
            tensors[index] = interpreter.get_tensor(index)
        except ValueError:  # a tensor without memory, such as a resource handle
            continue
    return {"outputs": outputs, "tensors": tensors, "seconds": seconds}


if __name__ == "__main__":
    main()
