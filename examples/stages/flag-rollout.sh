#!/bin/sh
# flag-rollout.sh PERCENT serves a flag's variation ON_ID to so many of the contexts, and OFF_ID to the others,
# by a semantic patch (https://launchdarkly.com/docs/api/feature-flags/patch-feature-flag). PROJECT, FLAG and
# ENVIRONMENT name the flag; FLAG_TOKEN is an access token that may write it.
set -eu
percent=${1-}
case $percent in
'' | *[!0-9]*) echo "usage: $0 PERCENT, a whole number from 0 to 100" >&2; exit 2 ;;
esac
# The token is given on standard input: the list of processes shows arguments to everybody.
printf 'header = "Authorization: %s"\n' "$FLAG_TOKEN" |
	curl --config - --fail-with-body --silent --show-error --max-time 30 --retry 3 --request PATCH \
		--header 'Content-Type: application/json; domain-model=launchdarkly.semanticpatch' \
		--data "{\"environmentKey\": \"$ENVIRONMENT\", \"instructions\": [{\"kind\": \"updateFallthroughVariationOrRollout\",
  \"rolloutWeights\": {\"$ON_ID\": $((1000 * percent)), \"$OFF_ID\": $((100000 - 1000 * percent))}}]}" \
		"${FLAG_API:-https://app.launchdarkly.com}/api/v2/flags/$PROJECT/$FLAG"
