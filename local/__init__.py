"""What runs on the developer's or operator's own machine, never on AWS."""

import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent
STACK_NAME = "payments-local"
REGION = "us-east-1"

# On Lambda the layer is on the path; here it has to be put there.
sys.path.insert(0, str(PROJECT / "layers/payments"))
