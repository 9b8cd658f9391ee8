module github.com/canary-judge/canary-judge

go 1.26.8

require (
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/montanaflynn/stats v0.14.0 // indirect
	gonum.org/v1/gonum v0.17.0 // indirect
)
