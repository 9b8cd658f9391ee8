#!/bin/sh
# gateway-weight.sh PERCENT sets the weights of a HTTPRoute's backends: the first is the
# baseline, the second the canary. ROUTE and NAMESPACE name it.
set -eu
percent=${1-}
case $percent in
'' | *[!0-9]*) echo "usage: $0 PERCENT, a whole number from 0 to 100" >&2; exit 2 ;;
esac
kubectl patch httproute "${ROUTE:-discounts}" --namespace "${NAMESPACE:-default}" --type=json --patch "[
  {\"op\": \"add\", \"path\": \"/spec/rules/0/backendRefs/0/weight\", \"value\": $((100 - percent))},
  {\"op\": \"add\", \"path\": \"/spec/rules/0/backendRefs/1/weight\", \"value\": $percent}
]"
