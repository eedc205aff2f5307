"""Tables: reports that were issued and are frozen, contributions and their pay, and reports by mail."""
