"""The compiled twins of the operators, and the program that runs them."""
