"""Custom operators: those that ship in the interpreter, those of MediaPipe, and those that a user registers."""
