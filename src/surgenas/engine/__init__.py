"""What does the work that searches ask for: this process, or a table in which the result is looked up."""
