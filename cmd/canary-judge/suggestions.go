package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// refuseUnknown makes a command line refuse the words that it does not know, wherever
// they stand, and say what was probably meant.
func refuseUnknown(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) {
			return fmt.Errorf("%w%s", err, didYouMean(flagsLike(cmd, unknown.GetSpecifiedName())))
		}
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool" {
			return fmt.Errorf("--%s is %q; want true or false", invalid.GetFlag().Name, invalid.GetValue())
		}
		return err
	})
	for _, cmd := range root.Commands() {
		switch {
		case cmd.Name() == "help":
			cmd.Args = knownTopic
		case cmd.HasSubCommands() && !cmd.Runnable():
			cmd.Args = knownTopic
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	root.Args = knownTopic
}

// likeness is the edit distance up to which a word was probably meant to be another.
const likeness = 2

// knownTopic accepts the names of a command, and of one below it, and so on.
func knownTopic(cmd *cobra.Command, args []string) error {
	if cmd.Name() == "help" {
		cmd = cmd.Root()
	}
	for _, name := range args {
		next, _, err := cmd.Find([]string{name})
		if err != nil || next == cmd {
			cmd.SuggestionsMinimumDistance = likeness
			return fmt.Errorf("unknown command %q for %q%s", name, cmd.CommandPath(), didYouMean(cmd.SuggestionsFor(name)))
		}
		cmd = next
	}
	return nil
}

// noArguments refuses arguments. A file among them was probably meant as the config.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if cmd.Flags().Lookup("config") != nil && (strings.HasSuffix(args[0], ".yaml") || strings.HasSuffix(args[0], ".yml")) {
		hint = didYouMean([]string{"--config " + args[0]})
	}
	return fmt.Errorf("%s takes no arguments, and got %q%s", cmd.CommandPath(), args[0], hint)
}

// validArgument accepts none, or one of the arguments that are valid.
func validArgument(cmd *cobra.Command, args []string) error {
	if len(args) == 0 || len(args) == 1 && slices.Contains(cmd.ValidArgs, args[0]) {
		return nil
	}
	return fmt.Errorf("%s takes one of %s, and got %s", cmd.CommandPath(), strings.Join(cmd.ValidArgs, ", "), strings.Join(args, " "))
}

// flagsLike returns the flags of a command that a word was probably meant to be, by
// cobra's measure of that for commands.
func flagsLike(cmd *cobra.Command, word string) []string {
	names := &cobra.Command{SuggestionsMinimumDistance: likeness}
	for _, f := range flags(cmd) {
		names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	}
	var like []string
	for _, name := range names.SuggestionsFor(word) {
		like = append(like, "--"+name)
	}
	return like
}

// didYouMean asks for one of some words, if there are any.
func didYouMean(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(words, " or ") + "?"
}
