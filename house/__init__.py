"""The composition root: builds the parts of a running Loa, joins them, starts them, and stops them in reverse."""
