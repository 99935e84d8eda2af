"""What finished runs say beside each other."""
