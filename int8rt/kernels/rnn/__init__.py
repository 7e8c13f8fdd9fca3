"""Simple recurrent networks: output = activation(weights · input + recurrent weights · previous output + bias)."""
