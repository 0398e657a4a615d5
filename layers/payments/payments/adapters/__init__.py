"""The outside services we use: DynamoDB, KMS, Step Functions, the feed of exchange rates."""
