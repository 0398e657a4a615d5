"""What the product costs, in counts and ratios: one module per letter of the table."""
