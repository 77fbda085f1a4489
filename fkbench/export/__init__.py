"""Trained nets as files for other programs: `torch.export` and ONNX, checked against the original.

Imports torch; the commands import it when they need it.
"""

from fkbench.export.program import exported_program, onnx_bytes

__all__ = ["exported_program", "onnx_bytes"]
