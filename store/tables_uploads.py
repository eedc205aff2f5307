"""Tables: recordings on their way in: uploads in pieces, drafts, and how much of an item somebody has heard."""
