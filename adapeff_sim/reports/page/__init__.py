"""The page: one file with curves, what-if sliders, tables and the graph of artifacts."""
