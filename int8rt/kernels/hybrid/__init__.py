"""Dynamic range: operators on float activations, which they quantize while running, with integer weights."""
