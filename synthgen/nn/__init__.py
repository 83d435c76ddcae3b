"""Networks: they know tensors and the layout, not tables."""
