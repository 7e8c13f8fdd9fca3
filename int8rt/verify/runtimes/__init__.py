"""Runtimes under test: one small contract (`base`), an adapter a kind of runtime, `choose` to name one in text."""
