"""Stands where boto3 expects S3's transfer manager, which would be 5 % of a cold start.

We move no files to or from S3. A function that did would fail when it imports the rest of this
package; then the real one has to stay in the layer (prune.py leaves it out).
"""
