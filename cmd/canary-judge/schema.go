package main

import (
	"github.com/spf13/cobra"

	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/config"
	"github.com/canary-judge/canary-judge/cmd/canary-judge/internal/report"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [config|result]",
		Short: "Print the JSON Schema of the config, or of the result",
		Long: `schema prints the JSON Schema of canary.yaml, for editors and linters, or that of
the result that -o json writes. In an editor with the YAML language server, put
this on the first line of the config:

  # yaml-language-server: $schema=canary.schema.json`,
		Example: `  canary-judge schema > canary.schema.json
  canary-judge schema result > result.schema.json`,
		Args:      validArgument,
		ValidArgs: []string{"config", "result"},
		RunE: func(_ *cobra.Command, args []string) error {
			text := config.Schema(types())
			if len(args) == 1 && args[0] == "result" {
				text = report.ResultSchema()
			}
			_, _ = a.stdout.Write(text) // what could not be written is told at the end
			return nil
		},
	}
}
