#!/bin/sh
# rollout-step.sh INDEX promotes a Rollout until it is at the step with that index, from 0, which is a
# pause. It promotes nothing that is there already, or further, so that it can be run again.
set -eu
target=${1-}
rollout=${ROLLOUT:-discounts} namespace=${NAMESPACE:-default}
case $target in
'' | *[!0-9]*) echo "usage: $0 INDEX, a whole number from 0" >&2; exit 2 ;;
esac
get() { kubectl get rollout "$rollout" --namespace "$namespace" -o "jsonpath={.status.$1}"; }
tries=${TRIES:-60}
while test "$tries" -gt 0; do
	step=$(get currentStepIndex)
	if test "${step:-0}" -ge "$target"; then
		exit 0
	fi
	case $(get phase) in
	Paused) kubectl argo rollouts promote "$rollout" --namespace "$namespace" ;;
	Degraded) echo "the rollout $rollout is degraded" >&2; exit 1 ;;
	esac
	tries=$((tries - 1))
	sleep "${PAUSE:-2}"
done
echo "the rollout $rollout is still before step $target" >&2
exit 1
