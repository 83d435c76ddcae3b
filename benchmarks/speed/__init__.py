"""Speed and memory of fitting and sampling."""
