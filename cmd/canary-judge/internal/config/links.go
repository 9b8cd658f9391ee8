package config

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/canary-judge/canary-judge/providers"
)

// link is a page to look at beside the report.
type link struct {
	Name string `yaml:"name" required:"true" doc:"What it is called in reports" example:"Dashboard"`
	URL  string `yaml:"url" required:"true" doc:"Its address; $start and $end stand for the run's first and last moment in milliseconds, $baseline.LABEL and $canary.LABEL for labels" example:"https://app.datadoghq.com/dashboard/abc-def-ghi?from_ts=$start&to_ts=$end&live=false&tpl_var_version=$canary.version"`
}

// Link is a page to look at beside the report.
type Link struct {
	Name string
	url  string // $start and $end are not filled in yet
}

// Over returns the page's address for a time.
func (l Link) Over(start, end time.Time) string {
	at := map[string]time.Time{"start": start, "end": end}
	return linkVariable.ReplaceAllStringFunc(l.url, func(match string) string {
		return strconv.FormatInt(at[match[1:]].UnixMilli(), 10)
	})
}

// linkVariable is $start, $end, $canary.label, or another word after a dollar sign, which
// is a mistake.
var linkVariable = regexp.MustCompile(`\$([A-Za-z_]\w*)(?:\.([A-Za-z_][\w-]*))?`)

// links resolves the links.
func (r *resolver) links() {
	for i := range r.file.Links {
		l := &r.file.Links[i]
		address := linkVariable.ReplaceAllStringFunc(l.URL, func(match string) string {
			parts := linkVariable.FindStringSubmatch(match)
			arm, isArm := r.config.Arms[providers.Arm(parts[1])]
			at := slices.IndexFunc(arm.Labels, func(label providers.Label) bool { return label.Name == parts[2] })
			switch {
			case match == "$start" || match == "$end":
				return match
			case isArm && at >= 0:
				return url.QueryEscape(arm.Labels[at].Value)
			case isArm:
				r.problemAt(&l.URL, l, "the %s has no label %q", parts[1], parts[2])
			default:
				r.problemAt(&l.URL, l, "%s is not known here; a link knows $start, $end, $baseline.LABEL and $canary.LABEL", match)
			}
			return match
		})
		u, err := url.Parse(address)
		switch {
		case !r.given(&l.URL):
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			r.problemAt(&l.URL, l, "want the address of a page, such as https://app.datadoghq.com/dashboard/abc-def-ghi")
		case u.User != nil:
			r.secrets[r.places.at(&l.URL)] = true
			r.problemAt(&l.URL, l, "leave the user and the password out: what stands here is shown in reports")
		}
		if r.given(&l.Name) && strings.TrimSpace(l.Name) == "" {
			r.problemAt(&l.Name, l, "the name is empty")
		}
		r.config.Links = append(r.config.Links, Link{l.Name, address})
	}
}
