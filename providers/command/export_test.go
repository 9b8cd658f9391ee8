package command

// Execute runs a program, for tests.
var Execute = execute
