package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/canary-judge/canary-judge/providers"
)

// settings completes the settings of the providers in use from the environment,
// which goes before the file, and their defaults.
func (r *resolver) settings() {
	for _, m := range r.config.Metrics {
		if _, known := r.types[m.Provider]; known {
			r.config.Settings[m.Provider] = r.sections[m.Provider]
		}
	}
	for _, g := range r.config.Guards {
		r.config.Settings[g.Provider] = r.sections[g.Provider]
	}
	for name, t := range r.types {
		if t.Acts != nil && t.Acts(r.sections[name]) {
			r.config.Settings[name] = r.sections[name]
		}
	}
	if r.options.Literal {
		return
	}
	for name, settings := range r.config.Settings {
		r.complete(reflect.ValueOf(settings).Elem())
		if tell := r.types[name].Arms; tell != nil {
			if err := tell(settings, map[providers.Arm][]providers.Label{
				providers.Baseline: r.config.Arms[providers.Baseline].Labels, providers.Canary: r.config.Arms[providers.Canary].Labels,
			}); err != nil {
				r.problemAt(settings, nil, "%v", err)
			}
		}
	}
}

// complete fills the fields of a settings struct.
func (r *resolver) complete(v reflect.Value) {
	for i := range v.NumField() {
		f, to := v.Type().Field(i), v.Field(i)
		text := ""
		for _, name := range strings.Split(f.Tag.Get("env"), ",") {
			if text == "" {
				text = strings.TrimSpace(r.options.Env[name])
			}
		}
		if text == "" && to.IsZero() {
			text = f.Tag.Get("default")
		}
		if text == "" {
			continue
		}
		if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := u.UnmarshalText([]byte(text)); err != nil {
				r.problem(nil, "%s: %v", f.Tag.Get("env"), err)
			}
			continue
		}
		if to.Kind() == reflect.String {
			to.SetString(text)
		}
	}
}

// document returns the config as it was understood, without secrets and actions,
// and with the presets' metrics in place of the presets. Keys keep their order, since that of
// labels shows in the queries.
func (r *resolver) document() json.RawMessage {
	metrics := &yaml.Node{Kind: yaml.SequenceNode}
	for _, n := range r.presetNodes {
		metrics.Content = append(metrics.Content, n.Content...)
	}
	doc := &yaml.Node{Kind: yaml.MappingNode}
	add := func(to *yaml.Node, key string, value *yaml.Node) {
		to.Content = append(to.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
	}
	for i := 0; i+1 < len(r.root.Content); i += 2 {
		key, value := r.root.Content[i].Value, r.root.Content[i+1]
		_, isProvider := r.types[key]
		switch {
		case key == "presets" || key == "window" || key == "notify" || isProvider || strings.HasPrefix(key, "on_"):
		case key == "metrics":
			metrics.Content = append(metrics.Content, value.Content...)
		case key == "stages":
			add(doc, key, sharesOf(value))
		default:
			add(doc, key, value)
		}
	}
	step := r.config.Window.Step
	window := &yaml.Node{Kind: yaml.MappingNode}
	for _, w := range []struct {
		key   string
		value time.Duration
	}{
		{"length", r.config.Window.Length()},
		{"step", step},
		{"warmup", time.Duration(r.config.Window.Warmup) * step},
		{"lag", r.config.Window.Lag},
		{"pass_after", time.Duration(r.config.Plan.PassAfter) * step},
	} {
		add(window, w.key, &yaml.Node{Kind: yaml.ScalarNode, Value: providers.Duration(w.value).String()})
	}
	add(doc, "window", window)
	add(doc, "metrics", metrics)
	var out bytes.Buffer
	writeJSON(&out, doc)
	return out.Bytes()
}

// writeJSON writes a node as JSON. Every scalar is a text: the config reads texts
// for all of its values.
func writeJSON(out *bytes.Buffer, n *yaml.Node) {
	quote := func(text string) {
		q, err := json.Marshal(text)
		if err != nil {
			panic("config: a text does not marshal: " + err.Error())
		}
		out.Write(q)
	}
	switch n.Kind {
	case yaml.AliasNode:
		writeJSON(out, n.Alias)
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			quote(n.Content[i].Value)
			out.WriteByte(':')
			writeJSON(out, n.Content[i+1])
		}
		out.WriteByte('}')
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			writeJSON(out, c)
		}
		out.WriteByte(']')
	default:
		quote(n.Value)
	}
}
