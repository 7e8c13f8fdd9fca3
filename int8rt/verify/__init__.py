"""Checking runtimes against int8rt, and int8rt against its oracle."""
