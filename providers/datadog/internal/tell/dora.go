package tell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/canary-judge/canary-judge/providers"
	"github.com/canary-judge/canary-judge/providers/datadog/internal/api"
	"github.com/canary-judge/canary-judge/web"
)

// DORA is the dora section of the settings: which deployment is the canary's.
type DORA struct {
	ID      string `yaml:"id" doc:"Id of the deployment, where the pipeline knows it; the rest is not needed then"`
	Service string `yaml:"service" doc:"Service of the deployment, the canary's label service unless given" example:"store-frontend"`
	Env     string `yaml:"env" doc:"Environment of the deployment, the canary's label env unless given" example:"prod"`
	Version string `yaml:"version" doc:"Version of the deployment, the canary's label version unless given"`
}

// deploymentPatch is the request of
// https://docs.datadoghq.com/api/latest/dora-metrics/patch-a-deployment-event/ and
// https://docs.datadoghq.com/api/latest/dora-metrics/patch-a-deployment-event-by-version/
//
// It names no remediation. That is a deployment, by its id or version, and what reverts
// the canary is not deployed yet; when it is, Datadog finds it by itself:
// https://docs.datadoghq.com/dora_metrics/change_failure_detection/
type deploymentPatch struct {
	Data struct {
		ID         string `json:"id,omitempty"`
		Type       string `json:"type"`
		Attributes struct {
			ChangeFailure bool   `json:"change_failure"`
			Service       string `json:"service,omitempty"`
			Env           string `json:"env,omitempty"`
			Version       string `json:"version,omitempty"`
		} `json:"attributes"`
	} `json:"data"`
}

// Marks implements providers.Marker.
func (t *Teller) Marks() bool { return t.options.DORA != nil }

// Deployment implements providers.Marker.
func (t *Teller) Deployment(canary []providers.Label) (string, error) {
	d, err := t.deployment(canary)
	if err != nil {
		return "", err
	}
	return d.String(), nil
}

// marking is what is being done, in errors.
const marking = "mark the deployment as failed"

// MarkFailed implements providers.Marker with a change failure in DORA metrics.
func (t *Teller) MarkFailed(ctx context.Context, canary []providers.Label) error {
	d, err := t.deployment(canary)
	if err != nil {
		return err
	}
	body, status, failure := t.api.Send(ctx, marking, http.MethodPatch, d.path(), nil, d.patch())
	if failure == nil && status/100 != 2 {
		failure = t.api.Refused(marking, status, body)
	}
	if failure != nil {
		d.cure(failure, status)
		return failure
	}
	if err := readMarked(status, body); err != nil {
		return t.api.Misread(marking, err)
	}
	return nil
}

// deployment returns which deployment is that of a canary with these labels.
func (t *Teller) deployment(canary []providers.Label) (DORA, error) {
	if t.options.DORA == nil {
		return DORA{}, &web.Error{Class: web.Settings, Provider: api.Name, Doing: marking, Err: errors.New("it is not asked for"), Cure: "set datadog.dora"}
	}
	d := *t.options.DORA
	// A variable that CI leaves empty is an empty text: blank is unset.
	if d.ID = strings.TrimSpace(d.ID); d.ID != "" {
		return DORA{ID: d.ID}, nil
	}
	var missing []string
	for _, field := range []struct {
		name string
		text *string
	}{{"service", &d.Service}, {"env", &d.Env}, {"version", &d.Version}} {
		*field.text = strings.TrimSpace(*field.text)
		for _, l := range canary {
			if *field.text == "" && strings.EqualFold(l.Name, field.name) { // as tags are
				*field.text = strings.TrimSpace(l.Value)
			}
		}
		if *field.text == "" {
			missing = append(missing, field.name)
		}
	}
	if len(missing) > 0 {
		return DORA{}, &web.Error{
			Class: web.Settings, Provider: api.Name, Doing: marking,
			Err:  errors.New("the canary has no label " + strings.Join(missing, " and no label ")),
			Cure: "set datadog.dora." + strings.Join(missing, " and datadog.dora.") + ", or datadog.dora.id",
		}
	}
	return d, nil
}

// String names the deployment.
func (d DORA) String() string {
	if d.ID != "" {
		return "id " + d.ID
	}
	return fmt.Sprintf("service %s, env %s, version %s", d.Service, d.Env, d.Version)
}

// path returns where the deployment is patched.
func (d DORA) path() string {
	const all = "/api/v2/dora/deployments"
	if d.ID != "" {
		return all + "/" + url.PathEscape(d.ID)
	}
	return all
}

// patch returns the request that marks the deployment. Nothing in it is cut: a shorter
// name is another deployment's.
func (d DORA) patch() *deploymentPatch {
	var patch deploymentPatch
	patch.Data.ID, patch.Data.Type = d.ID, "dora_deployment_patch_request"
	a := &patch.Data.Attributes
	a.ChangeFailure, a.Service, a.Env, a.Version = true, d.Service, d.Env, d.Version
	return &patch
}

// cure says what to do about a mark that failed. status is 0 where no answer came.
func (d DORA) cure(e *web.Error, status int) {
	switch {
	case e.Class == web.Unreachable:
		e.Cure = "look in Datadog whether it is marked, and mark it by hand if not"
	case status == http.StatusForbidden:
		_ = api.CureForbidden(e, "permission dora_metrics_write") // it is e
	case status == http.StatusBadRequest, status == http.StatusNotFound:
		e.Class = web.BadQuery
		e.Cure = "check datadog.dora (" + d.String() + ") and DD_SITE: Datadog must have been told of the deployment before, by datadog-ci dora deployment or APM Deployment Tracking"
	case status == http.StatusTooManyRequests:
		e.Cure = "mark it by hand in Datadog, or ask for a higher limit"
	}
}

// readMarked reports what is wrong with the answer to a mark. A mark that was taken is
// a 202 that holds nothing, by the specification, or {"data":null}, as recorded from the
// live API in the tests of Datadog's Go client. All else may come from something in between.
func readMarked(status int, body []byte) error {
	if status != http.StatusAccepted {
		return fmt.Errorf("the answer is %d and not 202 Accepted, so it does not say that the mark was taken: %s", status, body)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var a struct{ Data, Errors json.RawMessage }
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("not JSON as the DORA API answers it: %w: %s", err, body)
	}
	if said := api.ErrorTexts(a.Errors); said != "" {
		return fmt.Errorf("the answer has errors: %s", said)
	}
	if a.Data == nil {
		return fmt.Errorf("the answer does not say that the mark was taken: %s", body)
	}
	return nil
}
