"""Instruction sets: vector code in LLVM IR, and the levels that processors have."""
