"""The bundled sample: a small int8 classifier of handwritten digits, a dozen images, and what TensorFlow Lite gave.

Made by scripts/make_digits_sample.py and scripts/record_digits_sample.py. The images are from the test part of
E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
doi:10.24432/C50P49 (CC BY 4.0), as in scikit-learn, scaled from 8x8 to 16x16 pixels.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What a runtime gave for n samples, run one by one.

    runtime: its name and version.
    outputs: int8[n, 10], quantized probabilities.
    sha256: tensor index -> hexadecimal SHA-256 of the tensor's bytes over all n runs.
    """

    runtime: str
    outputs: npt.NDArray[np.int8]
    sha256: Mapping[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class DigitsSample:
    """The model, its inputs, and the record of TensorFlow Lite's reference interpreter.

    model: bytes of the .tflite file; one input, one output.
    inputs: int8[n, 16, 16, 1], quantized by the input tensor's parameters.
    labels: int8[n], the digits that were written.
    recorded: has a digest for every tensor that an operator writes.
    """

    model: bytes
    inputs: npt.NDArray[np.int8]
    labels: npt.NDArray[np.int8]
    recorded: Record


def digits() -> DigitsSample:
    """Reads the bundled files."""
    import numpy as np

    folder = resources.files(__name__)
    with folder.joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        sha256 = dict(zip(archive["tensors"].tolist(), archive["sha256"].tolist(), strict=True))
        return DigitsSample(
            model=folder.joinpath("digits.tflite").read_bytes(),
            inputs=archive["inputs"],
            labels=archive["labels"],
            recorded=Record(str(archive["runtime"]), archive["outputs"], sha256),
        )


def record(runtime: str, runs: Iterable[Mapping[int, npt.NDArray[Any]]], output: int) -> Record:
    """The record of `runs`, each a mapping of tensor index to value, with a batch of 1.

    output: index of the tensor that is the model's output.
    """
    import numpy as np

    outputs = []
    digests: defaultdict[int, Any] = defaultdict(hashlib.sha256)
    for tensors in runs:
        outputs.append(tensors[output])
        for index, value in tensors.items():
            digests[index].update(value.tobytes())
    return Record(runtime, np.concatenate(outputs), {index: digest.hexdigest() for index, digest in digests.items()})
