#!/bin/sh
# alb-weight.sh PERCENT sets the weights of two target groups of a listener's rule.
set -eu
percent=${1-}
case $percent in
'' | *[!0-9]*) echo "usage: $0 PERCENT, a whole number from 0 to 100" >&2; exit 2 ;;
esac
aws elbv2 modify-rule --rule-arn "$RULE_ARN" --actions "[{\"Type\": \"forward\", \"ForwardConfig\": {\"TargetGroups\": [
  {\"TargetGroupArn\": \"$STABLE_ARN\", \"Weight\": $((100 - percent))},
  {\"TargetGroupArn\": \"$CANARY_ARN\", \"Weight\": $percent}
]}}]"
