"""Tables: notices and what goes out by mail, second factors, password resets, deputies, settings of people."""
