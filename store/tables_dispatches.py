"""Tables: items that a centre sends to its communes with their receipts, and the portal's items."""
