"""Recipes, their parts, and the one training loop."""
