"""Tables: what comes from and goes to people without an account: links, the contributor inbox, published items."""
