"""Tables side by side: columns as numbers, rows as points, and small statistics."""
