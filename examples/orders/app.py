"""Takes orders: checks one, adds it up and signs the receipt."""

import hashlib
import hmac
import json
import uuid
from decimal import Decimal

# One for each execution environment.
ENVIRONMENT = str(uuid.uuid4())
KEY = b"the key of an example"


def handler(event, context):
    lines = [
        {"article": line["article"], "quantity": int(line["quantity"]), "price": Decimal(line["price"])}
        for line in event["lines"]
    ]
    total = sum((line["quantity"] * line["price"] for line in lines), Decimal(0))
    receipt = json.dumps({"order": event["order"], "total": str(total), "lines": len(lines)}, sort_keys=True)
    signature = hmac.new(KEY, receipt.encode(), hashlib.sha256).digest()
    # Keys that are stretched take time, as those of real shops do.
    signature = hashlib.pbkdf2_hmac("sha256", signature, KEY, 2000)
    return {"receipt": receipt, "signature": signature.hex(), "environment": ENVIRONMENT}
