"""Who does the work that searches ask for: this process, or a table that knows the answer."""
