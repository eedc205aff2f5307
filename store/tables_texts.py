"""Tables: texts and scripts for the air, their templates, weekly forms, comments, and the guidance library."""
