"""Built-in runtimes, one module or folder each."""
