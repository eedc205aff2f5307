"""Papers: what an office prints and signs, as one value, and as DOCX, PDF, XLSX and CSV made of it."""
