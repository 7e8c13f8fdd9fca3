"""Records beside the bundled digits what the reference interpreter gives for them, for machines without LiteRT.

Adds to int8rt/samples/digits.npz: the outputs, a SHA-256 of every tensor that an operator writes (over all samples, in
order), and which interpreter gave them. Needs ai-edge-litert (pip install -e '.[litert]'), no TensorFlow.

    python scripts/record_digits_sample.py
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from int8rt.samples import record

SAMPLES = Path(__file__).resolve().parent.parent / "int8rt" / "samples"


def main() -> None:
    """Runs the samples one by one with every tensor kept, and rewrites the file of samples."""
    interpreter = Interpreter(
        str(SAMPLES / "digits.tflite"),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    written = [int(index) for operator in interpreter._get_ops_details() for index in operator["outputs"]]
    with np.load(SAMPLES / "digits.npz") as archive:
        inputs, labels = archive["inputs"], archive["labels"]

    def runs() -> Iterator[dict[int, Any]]:
        for sample in inputs:
            interpreter.set_tensor(source, sample[np.newaxis])
            interpreter.invoke()
            yield {index: interpreter.get_tensor(index) for index in written}

    recorded = record(f"BUILTIN_REF of ai-edge-litert {version('ai-edge-litert')}", runs(), target)
    np.savez_compressed(
        SAMPLES / "digits.npz",
        inputs=inputs,
        labels=labels,
        outputs=recorded.outputs,
        tensors=np.array(list(recorded.sha256), np.int32),
        sha256=np.array(list(recorded.sha256.values())),
        runtime=np.array(recorded.runtime),
    )
    print(f"{len(inputs)} samples, {len(written)} tensors, {recorded.runtime}")


if __name__ == "__main__":
    main()
