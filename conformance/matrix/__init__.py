"""Real runtimes beside int8rt, on the operator suite and on models: `python -m conformance.matrix`."""
