"""Built-in detectors, one module or folder each."""
