"""Jobs: what failed, or all events, of a time range sent again to one webhook."""
