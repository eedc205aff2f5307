"""The edge of SQL: what people decided, who they are, and a copy of what stations reported. No table leaves it."""
