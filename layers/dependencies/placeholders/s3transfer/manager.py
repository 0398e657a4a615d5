"""boto3.compat imports this name when boto3 starts, to see which attributes it has."""


class TransferConfig:
    """Has no attributes, so boto3 takes it for a version without the newer options."""
