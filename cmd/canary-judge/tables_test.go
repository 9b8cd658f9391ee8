package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/jsonschema"
	"github.com/canary-judge/canary-judge/providers"
)

// configTable returns the config's keys as a Markdown table.
func configTable(types []providers.Type) string {
	var b strings.Builder
	b.WriteString("| key | what it is | default |\n| --- | --- | --- |\n")
	root := config.FileSchema(types)
	for _, p := range *root.Properties {
		tableRows(&b, "", p, slices.Contains(root.Required, p.Name))
	}
	return b.String()
}

// tableRows writes the row of a key, and those of its own keys.
func tableRows(b *strings.Builder, prefix string, p jsonschema.Property, required bool) {
	cell := strings.NewReplacer("|", "\\|", "\n", " ")
	name, doc, otherwise := prefix+p.Name, p.Schema.Doc, p.Schema.Default
	if p.Schema.Example != "" {
		doc += ", such as `" + p.Schema.Example + "`"
	}
	if len(p.Schema.Env) > 0 {
		doc += "; environment: `" + strings.Join(p.Schema.Env, "`, then `") + "`"
	}
	if required {
		otherwise = "required"
	}
	fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, cell.Replace(doc), cell.Replace(otherwise))
	inner := p.Schema
	if inner.Items != nil {
		inner, name = inner.Items, name+"[]"
	}
	for _, one := range inner.OneOf {
		if one.Properties != nil && (*one.Properties)[0].Schema.Doc != "" {
			inner = one
		}
	}
	if inner.Properties == nil || inner.AdditionalProperties != false {
		return
	}
	for _, child := range *inner.Properties {
		tableRows(b, name+".", child, slices.Contains(inner.Required, child.Name))
	}
}

// presetTables describes the presets of all providers in Markdown.
func presetTables(types []providers.Type) string {
	var b strings.Builder
	for _, t := range types {
		for _, p := range t.Presets {
			fmt.Fprintf(&b, "### %s: `%s`\n\n%s.\n\n", t.Name, p.Name, p.Doc)
			if len(p.Params) > 0 {
				b.WriteString("| parameter | what it is | default |\n| --- | --- | --- |\n")
			}
			for _, param := range p.Params {
				otherwise := "required"
				if param.Default != "" {
					otherwise = "`" + param.Default + "`"
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", param.Name, param.Doc, otherwise)
			}
			fmt.Fprintf(&b, "\n```yaml\nmetrics:\n%s\n```\n\n", indent(strings.Trim(p.Metrics, "\n")))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
