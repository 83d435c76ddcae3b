"""From a trained generator to rows."""
