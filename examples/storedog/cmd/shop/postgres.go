package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"storedog/cmd/shop/internal/process"
)

// postgresSocket is the name PostgreSQL gives to its socket.
const postgresSocket = ".s.PGSQL.5432"

// startPostgres starts PostgreSQL with a fresh cluster, on a unix socket only. It may
// not answer yet: the discounts service waits for it.
func startPostgres(ctx context.Context, o *options, p programs) (*process.Process, error) {
	dir := o.path("postgres")
	as, err := postgresUser(dir)
	if err != nil {
		return nil, err
	}
	environment := []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cluster := o.path("postgres", "cluster")
	// Who can open the socket may do all: it is as private as the directory.
	cmd := exec.CommandContext(ctx, p.initdb, "--pgdata="+cluster, "--username=shop", "--auth=trust",
		"--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment, &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make the database cluster: %w:\n%s", err, bytes.TrimSpace(out))
	}
	return process.Start(process.Program{
		Name: "postgres", Path: p.postgres, Dir: dir, Env: environment, Log: o.path("logs", "postgres.log"),
		Args: []string{
			"-D", cluster, "-k", dir, "-c", "listen_addresses=",
			// Nobody misses the data of a demo after a crash.
			"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		},
		User: as,
		End:  syscall.SIGINT, // does not wait until all have disconnected
	})
}

// databaseURL returns where the discounts service finds the database.
func databaseURL(o *options) string {
	query := url.Values{"host": {o.path("postgres")}, "user": {"shop"}, "dbname": {"postgres"}}
	return "postgres:///?" + query.Encode()
}

// postgresUser returns the user that PostgreSQL is to run as, and gives it the
// directory: this process's user, or postgres if that is root, as which it refuses to
// run.
func postgresUser(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, os.Chmod(dir, 0o700)
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and the user it should run as is missing: %w; Debian's package postgresql has it", err)
	}
	if closed := closedParent(dir); closed != "" {
		return nil, fmt.Errorf("PostgreSQL runs as the user postgres, who cannot get through %s to the state directory; choose a state directory elsewhere, or chmod o+x %[1]s", closed)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, fmt.Errorf("the number of the user postgres: %w", err)
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, fmt.Errorf("the group of the user postgres: %w", err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chmod(dir, 0o700)
}
