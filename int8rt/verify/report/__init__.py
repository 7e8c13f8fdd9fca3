"""A judgement as text, as plain data for JSON, and as JUnit's XML."""
