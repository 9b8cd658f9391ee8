package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// stateFile is the name of the file with the state, in the state directory.
const stateFile = "shop.json"

// state is what others may know of a shop that is open. It is in DIR/shop.json, which
// is there when all is ready, and is written anew whenever a process changes.
type state struct {
	PID        int     `json:"pid"`  // of the shop
	Dir        string  `json:"dir"`  // state directory
	Mode       string  `json:"mode"` // chance, user, blue-green, flag or single
	Share      float64 `json:"share"`
	Store      string  `json:"store"`      // URL, as users see it
	Discounts  string  `json:"discounts"`  // URL of the load balancer's discounts server
	Prometheus string  `json:"prometheus"` // URL
	Repository string  `json:"repository"` // where to push
	Logs       string  `json:"logs"`       // directory
	Shop       string  `json:"shop"`       // path of the program shop

	Flavours  []flavourState `json:"flavours"` // production, or what stands for it, is the first
	Processes []processState `json:"processes"`
}

// flavourState is a flavour and what runs in it.
type flavourState struct {
	Name    string `json:"name"`
	Branch  string `json:"branch"` // a push of it is deployed here; one of main is everywhere
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// processState is a process of the shop. Those of the services have all fields.
type processState struct {
	Program string `json:"program"`
	PID     int    `json:"pid"`
	Log     string `json:"log"`
	Flavour string `json:"flavour,omitempty"`
	Version string `json:"version,omitempty"`
	Address string `json:"address,omitempty"` // where requests come in
	Metrics string `json:"metrics,omitempty"` // where Prometheus scrapes
}

// write writes the state so that a reader never sees half of it.
func (s state) write() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	path := filepath.Join(s.Dir, stateFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

// readState reads the state of the shop with a state directory.
func readState(dir string) (state, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return state{}, fmt.Errorf("read the state of the shop, which is there when it is open: %w", err)
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return state{}, fmt.Errorf("read the state of the shop in %s: %w", dir, err)
	}
	return s, nil
}
