"""What merchants and shoppers may send, field by field."""
