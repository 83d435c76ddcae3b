"""Quality and speed benchmarks; a package so that its scripts can share code."""
