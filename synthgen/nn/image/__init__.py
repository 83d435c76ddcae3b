"""Generators and critics of images."""
