#!/bin/sh
# cloudwatch.sh START END STEP BASELINE CANARY: what two target groups of a load balancer did, as
# time,metric,arm,value. LOAD_BALANCER is its id, such as app/shop/50dc6c495c0c9188.
set -eu
queries=$(jq -n --argjson step "$3" --arg baseline "$4" --arg canary "$5" --arg balancer "$LOAD_BALANCER" '
  [{arm: "baseline", group: $baseline}, {arm: "canary", group: $canary}] | map(. as $a |
    [{metric: "errors", name: "HTTPCode_Target_5XX_Count", stat: "Sum"},
     {metric: "requests", name: "RequestCount", stat: "Sum"},
     {metric: "response time", name: "TargetResponseTime", stat: "Average"}] | map({
      Id: ($a.arm + "_" + (.metric | gsub(" "; "_"))), Label: ($a.arm + "/" + .metric),
      MetricStat: {Period: $step, Stat: .stat, Metric: {Namespace: "AWS/ApplicationELB", MetricName: .name, Dimensions: [
        {Name: "LoadBalancer", Value: $balancer}, {Name: "TargetGroup", Value: $a.group}]}}})) | add')
# Not in one pipe: there the shell would not see that one of them failed.
answer=$(aws cloudwatch get-metric-data --start-time "$1" --end-time "$2" --scan-by TimestampAscending \
  --metric-data-queries "$queries" --output json)
rows=$(printf '%s' "$answer" | jq -r '
  def time: sub("\\+00:00$"; "Z");
  def row($metric; $arm): [.[0], $metric, $arm, .[1]] | @csv;
  .MetricDataResults
  | if any(.StatusCode != "Complete") then error("CloudWatch has not all of the data") else . end
  | (map({key: .Label, value: .}) | from_entries) as $by
  | (.[] | (.Label | split("/")) as [$arm, $metric] | [.Timestamps, .Values] | transpose[] | .[0] |= time | row($metric; $arm)),
    # A minute with requests and without an error has no point of errors.
    (("baseline", "canary") as $arm | ($by[$arm + "/requests"].Timestamps - $by[$arm + "/errors"].Timestamps)[]
      | [time, 0] | row("errors"; $arm))')
echo time,metric,arm,value
printf '%s\n' "$rows" | sort | sed '/^$/d'
