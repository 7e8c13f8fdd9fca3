"""`int8rt demo`: the bundled model on its bundled digits, beside TensorFlow Lite's reference interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from int8rt.cli.backend import Backend

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from rich.console import Console

    from int8rt.interpreter import Interpreter
    from int8rt.samples import DigitsSample, Record


def demo(
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Compare with the recorded outputs even where LiteRT is installed.")
    ] = False,
    backend: Annotated[Backend, typer.Option("--backend", help="How to compute it.")] = Backend.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Classify the bundled handwritten digits, and compare every bit with the TensorFlow Lite interpreter's."""
    from rich.console import Console

    from int8rt.cli.app import ExitCode
    from int8rt.cli.progress import working
    from int8rt.interpreter import Interpreter
    from int8rt.samples import digits
    from int8rt.text import print_json
    from int8rt.verify import oracle

    sample = digits()
    interpreter = Interpreter(model_content=sample.model, experimental_preserve_all_tensors=True, backend=backend.value)
    interpreter.allocate_tensors()
    live = oracle.available() and not recorded
    with working("running the model"):
        ours = _run_ours(sample, interpreter)
        theirs = _run_litert(sample, interpreter) if live else sample.recorded

    probabilities, images = _real_values(sample, ours, interpreter)
    result = _result(sample, ours, theirs, probabilities, live)
    if as_json:
        print_json(result)
    else:
        _show(Console(), result, images)
    raise typer.Exit(ExitCode.OK if result["equal"] else ExitCode.NOT_CONFORMANT)


def _output_index(interpreter: Interpreter) -> int:
    return int(interpreter.get_output_details()[0]["index"])


def _run_ours(sample: DigitsSample, interpreter: Interpreter) -> Record:
    from int8rt import __version__
    from int8rt.samples import record

    source = interpreter.get_input_details()[0]["index"]

    def runs() -> Iterator[dict[int, npt.NDArray[Any]]]:
        for image in sample.inputs:
            interpreter.set_tensor(source, image[None])
            interpreter.invoke()
            yield {index: interpreter.get_tensor(index) for index in sample.recorded.sha256}

    return record(f"int8rt {__version__}", runs(), _output_index(interpreter))


def _run_litert(sample: DigitsSample, interpreter: Interpreter) -> Record:
    from importlib.metadata import version

    from int8rt.samples import record
    from int8rt.verify.oracle import Oracle

    with Oracle() as litert:
        runs = (
            litert.run(sample.model, [image[None]], read=list(sample.recorded.sha256)).tensors
            for image in sample.inputs
        )
        name = f"BUILTIN_REF of ai-edge-litert {version('ai-edge-litert')}"
        return record(name, runs, _output_index(interpreter))


def _real_values(
    sample: DigitsSample, ours: Record, interpreter: Interpreter
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Probabilities [n, 10] and pixels [n, 16, 16], dequantized."""
    from int8rt.quantization.affine import dequantize

    probabilities = dequantize(ours.outputs, *interpreter.get_output_details()[0]["quantization"])
    images = dequantize(sample.inputs[..., 0], *interpreter.get_input_details()[0]["quantization"])
    return probabilities, images


def _result(
    sample: DigitsSample, ours: Record, theirs: Record, probabilities: npt.NDArray[np.float32], live: bool
) -> dict[str, Any]:
    import numpy as np

    classes = np.argmax(ours.outputs, axis=-1)
    images = [
        {
            "label": int(label),
            "predicted": int(predicted),
            "probability": float(probability[predicted]),
            "equal": bool(np.array_equal(mine, reference)),
        }
        for label, predicted, probability, mine, reference in zip(
            sample.labels, classes, probabilities, ours.outputs, theirs.outputs, strict=True
        )
    ]
    different = [index for index, digest in theirs.sha256.items() if ours.sha256[index] != digest]
    return {
        "runtime": ours.runtime,
        "reference": theirs.runtime,
        "reference_source": "live" if live else "recorded",
        "images": images,
        "tensors": len(theirs.sha256),
        "different_tensors": different,
        "equal": not different and all(image["equal"] for image in images),
    }


def _show(console: Console, result: dict[str, Any], images: npt.NDArray[np.float32]) -> None:
    from rich.columns import Columns
    from rich.text import Text

    from int8rt.cli.picture import picture

    cells = []
    for image, pixels in zip(result["images"], images, strict=True):
        right = image["predicted"] == image["label"]
        cell = picture(pixels, console)
        cell.append(f"\n{image['predicted']}", "bold green" if right else "bold red")
        cell.append(f"  p = {image['probability']:.3f}\n")
        cell.append("bits equal" if image["equal"] else "bits differ", "green" if image["equal"] else "bold red")
        cell.append("" if right else f"\nis a {image['label']}")
        cells.append(cell.append("\n"))
    console.print(Columns(cells, padding=(0, 3)))

    right = sum(image["predicted"] == image["label"] for image in result["images"])
    equal = sum(image["equal"] for image in result["images"])
    source = "run just now" if result["reference_source"] == "live" else "recorded; LiteRT not run"
    tensors = result["tensors"] - len(result["different_tensors"])
    console.print(f"{right} of {len(cells)} digits recognised by {result['runtime']}", highlight=False)
    console.print(f"beside {result['reference']} ({source}):", highlight=False)
    console.print(
        Text(
            f"{equal} of {len(cells)} outputs and {tensors} of {result['tensors']} tensors have the same bits",
            "bold green" if result["equal"] else "bold red",
        )
    )
    if result["different_tensors"]:
        console.print(f"tensors that differ: {', '.join(map(str, result['different_tensors']))}", highlight=False)
