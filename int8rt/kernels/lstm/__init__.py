"""Long short-term memory: gates, cell and output of the recurrent operators, in integers, in float32 and hybrid."""
