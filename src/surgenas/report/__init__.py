"""What a run found: facts first, drawing apart."""
