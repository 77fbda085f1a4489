"""Writes the generated pages of the site: reference and model cards, from the code and its docstrings alone."""
