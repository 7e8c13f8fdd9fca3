"""Why a tensor lost more than it should by quantization, where that is plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from int8rt.lint import RULES as RULES_OF_LINT
from int8rt.lint import lint_model
from int8rt.lint.specification import FIXED_OUTPUTS
from int8rt.model import Model, TensorType
from int8rt.ptq.difference import Codes, Difference, has_codes
from int8rt.ptq.rules import RULES

# The rules of lint that tell why results are wrong.
_TELLING = ("copied-codes-keep-their-meaning", "reference-is-right")
# From so many times on something is out of proportion.
_WIDE, _OUTLYING, _SPREAD = 2.0, 4.0, 8.0
# A scale in common with others is the reason where their values fill so many times more of it.
_MERGED = 1.5
# Signal to quantization noise, in decibels, below which more than rounding is wrong.
_LOW = 20.0


class Reasons:
    """The reasons for the tensors of a quantized model. codes: of those that are quantized, after all samples."""

    def __init__(self, model: Model, codes: Mapping[int, Codes]) -> None:
        self.graph = graph = model.subgraphs[0]
        self.found = _of_operators(model)
        self.codes = codes
        self.writer = {t: i for i, operator in enumerate(graph.operators) for t in operator.outputs}

    def of(self, t: int, difference: Difference) -> Iterable[str]:
        """In plain words; none about the range of tensors that have their operator's, whatever the values."""
        if difference.sqnr < _LOW and t in self.writer:
            yield from self.found.get(self.writer[t], ())
        if t not in self.codes or self._is_fixed(t):
            return
        codes = self.codes[t]
        if codes.saturated > 0.001:
            yield f"{codes.saturated:.1%} of the values lie outside of the range of the codes"
        factor = self._factor(t, *self._ends(t))
        if factor > _WIDE:
            yield self._too_wide(t, factor)
        if codes.usual > 0 and codes.largest > _OUTLYING * codes.usual:
            yield f"outliers: 99.9 % of the values are within a {codes.largest / codes.usual:.0f}th of the largest"
        yield from self._channels(codes)
        if difference.spread > _SPREAD:
            yield f"the error of one channel is {difference.spread:.0f} times that of the middle one"

    def _channels(self, codes: Codes) -> Iterable[str]:
        assert codes.extremes is not None
        widths = codes.extremes[1] - codes.extremes[0]
        middle = float(np.median(widths))
        if widths.size <= 2 or middle <= 0 or float(widths.max()) <= _OUTLYING * middle:
            return
        channel, many = int(widths.argmax()), int((widths > _OUTLYING * middle).sum())
        times = f"{float(widths.max()) / middle:.0f} times"
        if many == 1:
            yield f"channel {channel} alone has {times} the range of the others"
        else:
            yield f"{many} of {widths.size} channels are wider than the others, channel {channel} {times}"

    def _too_wide(self, t: int, factor: float) -> str:
        """A range that the values do not fill: merged with others', its input's, or wrongly recorded."""
        merged = self._merged(t, factor)
        if merged is not None:
            label = f"{self.graph.operators[merged].label} (operator {merged})"
            return f"it shares the scale of {label}: {factor:.1f} times as wide as its own values"
        if self._kept(t) is not None and len(self._coded(self.writer[t])) == 1:
            label = self.graph.operators[self.writer[t]].label
            return f"{label} keeps the scale of its input: {factor:.1f} times as wide as its own values"
        return f"its range is {factor:.1f} times as wide as its values: wrongly recorded, or from other samples"

    def _merged(self, t: int, factor: float) -> int | None:
        """The operator that gives the tensor a scale in common with others, which fill more of it."""
        seen, pending = {t}, [t]
        while pending:
            now = pending.pop()
            for position, operator in enumerate(self.graph.operators):
                rule = RULES.get(operator.name)
                if rule is None or not rule.same or now not in operator.inputs:
                    continue
                others = [i for i in self._coded(position) if i != now]
                ends = [self._ends(i) if i in self.codes else self.codes[t].reach for i in (now, *others)]
                whole = min(low for low, _ in ends), max(high for _, high in ends)
                if others and self._factor(t, *whole) * _MERGED <= factor:
                    return position
                pending += [other for other in operator.outputs if other not in seen]
                seen.update(operator.outputs)
        return None

    def _coded(self, position: int) -> list[int]:
        """The quantized activations that an operator reads, and constants of one scale."""
        return [i for i in self.graph.operators[position].inputs if i >= 0 and has_codes(self.graph.tensors[i])]

    def _kept(self, t: int) -> int | None:
        """The tensor whose codes are only moved or chosen to make this one."""
        operator = self.graph.operators[self.writer[t]] if t in self.writer else None
        rule = RULES.get(operator.name) if operator is not None else None
        if operator is None or rule is None or not rule.same:
            return None
        return next((i for i in self._coded(self.writer[t]) if self._equal(i, t)), None)

    def _equal(self, one: int, other: int) -> bool:
        first, second = self.graph.tensors[one].quantization, self.graph.tensors[other].quantization
        if first is None or second is None:
            return False
        return np.array_equal(first.scale, second.scale) and np.array_equal(first.zero_point, second.zero_point)

    def _is_fixed(self, t: int) -> bool:
        """Whether the tensor's range is an operator's, as that of SOFTMAX; its codes may have been moved since."""
        seen: set[int] = set()
        now: int | None = t
        while now is not None and now in self.writer and now not in seen:
            seen.add(now)
            operator = self.graph.operators[self.writer[now]]
            if self.graph.tensors[now].type in FIXED_OUTPUTS.get(operator.name, {}):
                return True
            now = operator.inputs[0] if operator.name == "QUANTIZE" else self._kept(now)
        return False

    def _ends(self, t: int) -> tuple[float, float]:
        """The least and the largest real value, and 0."""
        extremes = self.codes[t].extremes
        assert extremes is not None
        return min(float(extremes[0].min()), 0.0), max(float(extremes[1].max()), 0.0)

    def _factor(self, t: int, low: float, high: float) -> float:
        """How many times as wide a tensor's range is as from `low` to `high`."""
        if self.graph.tensors[t].type is TensorType.INT16:
            low = -(high := max(-low, high))  # ranges of int16 are symmetric
        reach = self.codes[t].reach
        return (reach[1] - reach[0]) / (high - low) if high > low else 0.0


def _of_operators(model: Model) -> dict[int, list[str]]:
    """What is wrong with operators of the first subgraph whatever the values, by their positions."""
    found: dict[int, list[str]] = {}
    for finding in lint_model(model, [rule for rule in RULES_OF_LINT if rule.name in _TELLING]):
        if finding.subgraph == 0:
            said = finding.found
            if finding.rule == "copied-codes-keep-their-meaning":
                said = f"copies the codes of a tensor with {said} into one with {finding.expected.partition(', as')[0]}"
            found.setdefault(finding.operator, []).append(f"{finding.operator_name}: {said}")
    return found
