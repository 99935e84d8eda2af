"""Where examples come from: one file for each data source; no tokenizer, no torch, no event."""
