#!/bin/sh
# kubernetes.sh START END STEP BASELINE CANARY: the mean memory of the pods of two apps, as time,metric,arm,value. START
# and END are seconds since the epoch.
set -eu
echo time,metric,arm,value
# What is known is the last step's: of any before there is nothing to say.
[ "$(($(date +%s) - $2))" -lt "$3" ] || exit 0
memory() {
  pods=$(kubectl top pods --selector="app=$2" --no-headers)
  echo "$pods" | awk -v at="$(($end - $step))" -v arm="$1" '
    $3 ~ /Mi$/ { sum += $3; n++; next }
    NF { print "what is " $3 "?" > "/dev/stderr"; exit 1 }
    END { if (n) printf "%s,memory,%s,%.3f\n", at, arm, sum / n }'
}
end=$2 step=$3
memory baseline "$4"
memory canary "$5"
