"""What is kept in DynamoDB, one module per table. Every status change is one conditional write."""
