-- What both versions did with the orders of each step: a step without orders has no row, and is a gap.
WITH steps AS (
  SELECT date_bin(make_interval(secs => :step), taken_at, timestamptz 'epoch') AS step,
         CASE version WHEN :'baseline' THEN 'baseline' ELSE 'canary' END AS arm,
         count(*) AS orders,
         count(*) FILTER (WHERE failed) AS failed,
         avg(price) FILTER (WHERE NOT failed) AS price
  FROM orders
  WHERE taken_at >= :'start' AND taken_at < :'end' AND version IN (:'baseline', :'canary')
  GROUP BY 1, 2
)
SELECT extract(epoch FROM step)::bigint AS time, 'orders' AS metric, arm, failed::numeric AS value, orders AS total FROM steps
UNION ALL
SELECT extract(epoch FROM step)::bigint, 'order value', arm, price, NULL FROM steps
ORDER BY metric, arm, time;
