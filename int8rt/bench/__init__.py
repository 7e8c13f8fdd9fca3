"""Measuring: how long a model takes, beside LiteRT in the same process, and where the time goes."""
