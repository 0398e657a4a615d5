"""The least that anybody's function on DynamoDB loads."""

import boto3

client = boto3.client("dynamodb")
