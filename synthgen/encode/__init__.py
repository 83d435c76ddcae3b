"""Values to numbers and back: the schema's columns as states and normal scores."""
