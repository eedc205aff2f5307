"""Between authority and station: intent signed down, facts chained up, and the door through which pages ask a station."""
