"""Detectors against the usual ones, on labelled rows, planted anomalies and images."""
