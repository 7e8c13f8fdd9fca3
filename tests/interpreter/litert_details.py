"""Child process: pickles of what LiteRT says about the models named on the command line, one after the other.

A model after a "+" is allocated too.
"""

from __future__ import annotations

import pickle
import sys
import warnings
from typing import Any


def details(interpreter: Any) -> dict[str, Any]:
    """All that an interpreter says about its model."""
    counts = range(interpreter.num_subgraphs())
    runners = {key: interpreter.get_signature_runner(key) for key in interpreter.get_signature_list()}
    return {
        "inputs": interpreter.get_input_details(),
        "outputs": interpreter.get_output_details(),
        "tensors": [interpreter.get_tensor_details(index) for index in counts],
        "signatures": interpreter.get_signature_list(),
        "full signatures": interpreter._get_full_signature_list(),
        "runner inputs": {key: runner.get_input_details() for key, runner in runners.items()},
        "runner outputs": {key: runner.get_output_details() for key, runner in runners.items()},
        "operators": interpreter._get_ops_details(),
    }


def main() -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    warnings.simplefilter("ignore")
    for argument in sys.argv[1:]:
        path = argument.removeprefix("+")
        try:
            interpreter = Interpreter(path, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
            said = details(interpreter)
            if argument != path:
                interpreter.allocate_tensors()
                said["allocated"] = interpreter.get_tensor_details()[: len(said["tensors"][0])]
        except (ValueError, RuntimeError) as error:
            said = {"error": str(error)}
        sys.stdout.buffer.write(pickle.dumps((path, said)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
