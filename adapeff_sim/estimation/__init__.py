"""What it would take: closed forms from shapes (no torch)."""
