"""Built-in datasets, one module or folder each."""
