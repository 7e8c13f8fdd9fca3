"""A judgement as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from int8rt.model import shown
from int8rt.text import columns
from int8rt.verify.first import Divergence
from int8rt.verify.report import beside
from int8rt.verify.statistics import WIDEST, Statistics
from int8rt.verify.verdict import Judgement, OperatorReport, OutputReport, Verdict

# So many steps of a histogram fit a line.
_BARS = 7
# Characters of a runtime's own words that are worth a look.
LONGEST_FAULT = 500
# On fewer elements than that, agreeing with another profile says little.
_FEW = 10

HEADER = ("#", "operator", "verdict", "by itself", "in the model", "differences by itself")


def lines(judgement: Judgement, all_operators: bool = False) -> Iterator[str | list[Sequence[str]]]:
    """Lines, and in their midst the rows of a table under `HEADER`. all_operators: exact and unknown ones too."""
    yield f"{judgement.runtime} beside int8rt, {judgement.profile}; inputs: {', '.join(judgement.runs)}"
    for fault in judgement.faults:
        yield f"{fault.run}: {fault.kind}: {shown(fault.message, LONGEST_FAULT)}"
    for output in judgement.outputs:
        if output.statistics.elements:
            yield f"output {output.index} {shown(output.name)!r}: {output_text(output)}"
    silent = () if all_operators else (Verdict.EXACT, Verdict.UNKNOWN)
    listed = [operator for operator in judgement.operators if operator.verdict not in silent]
    if listed:
        yield [_row(operator) for operator in listed]
    if judgement.operators:
        yield summary_text(judgement)
        yield from evidence_text(judgement)
    first = judgement.first
    if first is not None:
        yield f"the first that differs by itself: {where_first(first)}"
    yield from unexplained_text(judgement)
    if judgement.divergence is not None:
        yield from _derived(judgement.divergence)
    yield "conformant" if judgement.conformant else "not conformant"


def whole(judgement: Judgement, all_operators: bool = False) -> str:
    """All of `lines` as one text."""
    parts = lines(judgement, all_operators)
    return "\n".join(part if isinstance(part, str) else columns(HEADER, part, right=(0,)) for part in parts)


def amount(statistics: Statistics | None) -> str:
    """How much differs: "3 of 100, ±1", "equal", or what is wrong with the value."""
    if statistics is None:
        return "?"
    if statistics.mismatch:
        return statistics.mismatch
    if not statistics.different:
        return "equal"
    return f"{statistics.different} of {statistics.elements}, ±{statistics.largest:g}"


def histogram(statistics: Statistics | None) -> str:
    """Steps and how many elements are that far off: "-1: 44  0: 23956"; "" where nothing differs. Of many, some."""
    if statistics is None or statistics.equal:
        return ""
    steps = statistics.histogram
    largest = sorted(steps, key=lambda step: (-steps[step], abs(step)))[:_BARS]
    parts = [f"{step:+d}: {steps[step]}" if step else f"0: {steps[0]}" for step in sorted(largest)]
    parts += [f"{len(steps) - _BARS} other steps"] if len(steps) > _BARS else []
    return "  ".join(parts + ([f"beyond ±{WIDEST}: {statistics.beyond}"] if statistics.beyond else []))


def _derived(divergence: Divergence) -> Iterator[str]:
    """The derivation of the element that is furthest off, beside the runtime's answer."""
    if divergence.derivation is not None:
        yield f"\nwhat int8rt computes there; the runtime's answer is {divergence.answered}:\n"
        yield beside.table(divergence)
        yield ""
    yield from beside.explanations(divergence)
    yield ""


def output_text(output: OutputReport) -> str:
    """How an output differs, and how often its largest element is the same one."""
    statistics = output.statistics
    if statistics.mismatch:
        return statistics.mismatch
    text = "equal"
    if statistics.different:
        at = f"{statistics.found}, expected {statistics.expected}, at {list(statistics.at)} ({statistics.run})"
        text = (
            f"{statistics.different} of {statistics.elements} elements differ by at most {statistics.largest:g}: {at}"
        )
    if output.rows:
        text += f"; top-1 agrees in {output.agreeing} of {output.rows}"
    return text


def _row(operator: OperatorReport) -> tuple[str, ...]:
    own = _short(operator.local) + (" (cut out)" if operator.alone and operator.local is not None else "")
    if operator.message:
        own = shown(operator.message)[:60]
    return (
        str(operator.position),
        operator.operator,
        str(operator),
        own,
        _short(operator.accumulated),
        histogram(operator.local),
    )


def _short(statistics: Statistics | None) -> str:
    """`amount` without a guess at what a value of the wrong form may be."""
    return amount(statistics).partition(";")[0]


def summary_text(judgement: Judgement) -> str:
    """How many operators have which verdict, and the least bound that would pass."""
    counts = Counter(str(operator) for operator in judgement.operators)
    text = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items(), key=lambda item: -item[1]))
    if all(operator.verdict is Verdict.UNKNOWN for operator in judgement.operators):
        return f"{len(judgement.operators)} operators, of which the runtime shows nothing"
    bound = judgement.least_bound
    least = "no bound would pass" if bound is None else f"the least bound that passes: {bound:g}"
    return f"{len(judgement.operators)} operators: {text}; {least}"


def evidence_text(judgement: Judgement) -> Iterator[str]:
    """Which operators agree with another profile on hardly anything on which it parts from the expected one."""
    few = [
        str(operator.position)
        for operator in judgement.operators
        if operator.verdict is Verdict.OTHER_PROFILE and operator.local and operator.local.different < _FEW
    ]
    if few:
        which = f"operator {few[0]} parts" if len(few) == 1 else f"operators {', '.join(few)} part"
        why = "which many a wrong arithmetic would give as well; `int8rt identify` has inputs that decide"
        yield f"{which} from {judgement.profile} on fewer than {_FEW} elements, {why}"


def unexplained_text(judgement: Judgement) -> Iterator[str]:
    """Which outputs differ though no operator of them is at fault, as far as that was seen."""
    if not judgement.operators or any(operator.local is None for operator in judgement.operators):
        return
    passing = all(judgement.passes(operator) for operator in judgement.operators)
    for output in judgement.unexplained:
        name = f"output {output.index} {shown(output.name)!r}"
        if output.gap is not None:
            yield f"{name} is up to {output.gap:g} off what operators wrote there when the runtime showed its tensors"
        elif passing and judgement.first is None:
            yield f"{name} differs, though each operator is exact by itself: what happens between them is at fault"
        elif passing:
            why = "the runtime does not show the tensors from which that would follow"
            yield f"{name} is further off than ±{judgement.bound:g}, though no operator is by itself: {why}"


def where_first(operator: OperatorReport) -> str:
    """An operator, and its largest difference."""
    where = f"operator {operator.position} {operator.operator}"
    local = operator.local
    if local is None or local.mismatch or not local.different:
        return f"{where}: {operator.message or amount(local)}"
    return f"{where}, at {list(local.at)}: {local.found}, expected {local.expected} ({local.run})"
