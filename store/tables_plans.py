"""Tables: schedules under the pencil: edits of a week that are not yet published."""
