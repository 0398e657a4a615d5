"""Tables in the code and the docs that are generated."""
