"""New plugins: a model, dataset or detector that works, with its test."""
