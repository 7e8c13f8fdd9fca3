"""The operator suite: cases as data (`suite.json`), the models made from them, their runs and verdicts.

A case is a model of one operator and inputs, made from a seed and parameters; what is expected is what int8rt's
`tflite-ref` computes. Adding a case is adding a line to `suite.json`.
"""
