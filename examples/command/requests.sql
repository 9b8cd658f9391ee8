SELECT time, metric, arm, value, total FROM (
  WITH toStartOfInterval(at, toIntervalSecond({step:UInt32})) AS step
  SELECT toUnixTimestamp(step) AS time,
         if(version = {baseline:String}, 'baseline', 'canary') AS arm,
         arrayJoin([
           ('requests', toFloat64(countIf(status >= 500)), toNullable(count())),
           ('p95', quantileExact(0.95)(duration_ms), NULL),
           ('requests behind p95', toFloat64(count()), NULL)
         ]) AS row, row.1 AS metric, row.2 AS value, row.3 AS total
  FROM requests
  WHERE at >= toDateTime({start:UInt32}) AND at < toDateTime({end:UInt32}) AND version IN ({baseline:String}, {canary:String})
  GROUP BY step, arm
)
ORDER BY metric, arm, time
FORMAT CSVWithNames
SETTINGS format_csv_null_representation = ''
