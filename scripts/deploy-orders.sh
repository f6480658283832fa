#!/usr/bin/env bash
# Creates the function `orders` of examples/orders with the AWS CLI, as a user's own, unless it is there.
#
#   scripts/deploy-orders.sh [ROLE_ARN]
set -euo pipefail
source "$(dirname "$0")/lib.sh"

if aws lambda get-function-configuration --function-name orders &>/dev/null; then exit; fi
package=$(mktemp -d)
trap 'rm -rf "$package"' EXIT
python3 -m zipfile --create "$package/orders.zip" examples/orders/app.py
aws lambda create-function --function-name orders --runtime python3.13 --handler app.handler --architectures x86_64 \
    --memory-size 512 --timeout 10 --role "${1:-arn:aws:iam::000000000000:role/orders}" \
    --zip-file "fileb://$package/orders.zip" --query FunctionArn --output text
