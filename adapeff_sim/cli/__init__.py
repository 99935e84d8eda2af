"""What is typed and what is shown: one file a verb, and no rule of the domain."""
