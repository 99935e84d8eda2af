"""What is measured while work is done, one file for each quantity."""
