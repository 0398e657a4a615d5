"""What the system does for merchants and shoppers: one module per thing done."""
