"""A run: plan → key → data → train → predict → score → time → record, one way."""
