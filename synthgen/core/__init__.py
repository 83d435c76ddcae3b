"""Plumbing that every layer may use; it knows no data and no models."""
