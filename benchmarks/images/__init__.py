"""Benchmark of image recipes: equal processor time, equal networks where they can be."""
