package prometheus

import (
	"regexp"
	"strings"
)

// What functions of PromQL and MetricsQL do to what they take:
// https://prometheus.io/docs/prometheus/latest/querying/functions/
// https://docs.victoriametrics.com/victoriametrics/metricsql/

// Reasons to refuse a function, with what to do instead.
const (
	noForecast  = "a forecast or smoothed value is not what was measured in the step; write the query without it"
	noCarrying  = "it carries values into steps in which the source has none; write the query without it, a step without data is a gap"
	noOthers    = "it makes the value of a step of other steps; write the query without it"
	noAbsence   = "it is 1 where the source has nothing; a metric with gaps: NAME counts the steps without data"
	noLogarithm = "changes would look small; write the query without it"
	noChance    = "a random number measures nothing"
	noLookaside = "it reads what was before the step; write last_over_time(…[$step])"
)

// refused are the functions whose values are not what the source measured in the step.
var refused = reasons(map[string]string{
	"predict_linear holt_winters double_exponential_smoothing smooth_exponential range_linear_regression": noForecast,
	"keep_last_value keep_next_value interpolate":                                                         noCarrying,
	"default_rollup": noLookaside,
	"running_avg running_max running_min running_sum remove_resets range_avg range_first range_last range_mad range_max range_median range_min range_normalize range_quantile range_stddev range_stdvar range_sum range_trim_outliers range_trim_spikes range_trim_zscore range_zscore": noOthers,
	"absent absent_over_time":           noAbsence,
	"rand rand_exponential rand_normal": noChance,
	"ln log2 log10 sqrt":                noLogarithm,
})

func reasons(of map[string]string) map[string]string {
	all := map[string]string{}
	for names, why := range of {
		for _, name := range strings.Fields(names) {
			all[name] = why
		}
	}
	return all
}

func set(names string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(names) {
		all[name] = true
	}
	return all
}

// counting are the functions of a range that say how often something happened in it.
var counting = set(`increase increase_pure increase_prometheus delta delta_prometheus sum_over_time count_over_time
	count_eq_over_time count_gt_over_time count_le_over_time count_ne_over_time sum_eq_over_time sum_gt_over_time sum_le_over_time
	changes changes_prometheus resets increases_over_time decreases_over_time`)

// countsScrapes are those of them that do not say how much a counter has grown: they count its
// scrapes, add up its states, or take a restart for less than none.
var countsScrapes = set(`delta delta_prometheus sum_over_time count_over_time count_eq_over_time count_gt_over_time
	count_le_over_time count_ne_over_time sum_eq_over_time sum_gt_over_time sum_le_over_time
	changes changes_prometheus increases_over_time decreases_over_time idelta`)

// counterName is what counters are called:
// https://prometheus.io/docs/practices/naming/#metric-names and
// https://prometheus.io/docs/concepts/metric_types/#histogram
var counterName = regexp.MustCompile(`_(total|count|sum|bucket)$`)

// stateName is what is hardly anything but a counter or a part of one.
var stateName = regexp.MustCompile(`_(total|bucket)$`)

// rounding are the functions that make different numbers the same.
var rounding = set("ceil floor round sgn")

// observing are the functions and aggregations that say that, when or how often there was
// something, and not what.
var observing = set(`group count count_values stddev stdvar timestamp timestamp_with_name present_over_time count_over_time
	changes changes_prometheus resets tfirst_over_time tlast_over_time tmax_over_time tmin_over_time lag lifetime scrape_interval
	stddev_over_time stdvar_over_time share_le_over_time share_gt_over_time share_eq_over_time`)

// scraped are the metrics that a server adds of each target, or that are always 1:
// https://prometheus.io/docs/concepts/jobs_instances/#automatically-generated-labels-and-time-series
var scraped = regexp.MustCompile(`^(up|scrape_.*|ALERTS|ALERTS_FOR_STATE|.*_info)$`)

// rates are those that are per second.
var rates = set("rate rate_prometheus rate_over_sum irate deriv deriv_fast ideriv")

// transparent are the functions of which a count is a count again.
var transparent = set(`abs ceil floor round sort sort_desc sort_by_label sort_by_label_desc sort_by_label_numeric
	sort_by_label_numeric_desc label_copy label_del label_graphite_group label_join label_keep label_lowercase label_map label_match
	label_mismatch label_move label_replace label_set label_transform label_uppercase labels_equal drop_common_labels
	drop_empty_series limit_offset vector scalar prometheus_buckets`)

// parametrised reports whether not all arguments of an aggregation are what it
// aggregates.
func parametrised(aggregation string) bool {
	for _, name := range []string{"topk", "bottomk", "outliers", "quantile", "limitk", "count_values"} {
		if strings.HasPrefix(aggregation, name) {
			return true
		}
	}
	return false
}
