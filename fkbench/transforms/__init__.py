"""Transforms of pictures with their keypoints, each written once: the training engine, the articles' recipes and
`fkbench data preview --transforms` all use these.

`frames` works on whole frames of any size before training (NumPy, OpenCV); `affine` and `pixels` work on batches on
the device (PyTorch); `catalogue` gives each a name for previews.
"""
