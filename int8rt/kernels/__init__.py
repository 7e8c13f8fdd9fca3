"""The operators: one small module each (or for a family), all listed in `registry`."""
