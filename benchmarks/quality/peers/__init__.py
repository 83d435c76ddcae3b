"""Other libraries in the same benchmark: pinned, each in an environment of its own, only called."""
