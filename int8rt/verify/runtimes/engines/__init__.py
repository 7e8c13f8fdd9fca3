"""Engines of `worker` for runtimes with a converter or an interface of their own; loaded by path, so that nothing of
int8rt is imported. Each has a class that is made of (request, content), with `description` and `run`.

The request has the "inputs" and "outputs" of the model as {"name", "shape", "dtype"}; shapes are static, and tensors'
names unique and plain. The current folder is one of its own, for files.
"""
