"""What is this data: frames in and out, the schema, surrogates, constraints, bundled tables."""
