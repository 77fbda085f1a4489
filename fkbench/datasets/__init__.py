"""Datasets: samples, packs, splits, views and what is known about them."""
