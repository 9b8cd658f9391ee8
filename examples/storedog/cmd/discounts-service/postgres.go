package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

// schemaLock is the key of the advisory lock under which the schema is applied: the
// services of all flavours start at the same time. Any number does that nobody else
// uses.
const schemaLock = 5705_1090

// Waiting for a database that is starting, too.
const (
	longestWait = 30 * time.Second
	nextTry     = 200 * time.Millisecond
)

// database keeps the discounts in PostgreSQL.
type database struct{ pool *pgxpool.Pool }

// openDatabase connects to the database at a URL and applies the schema.
func openDatabase(ctx context.Context, url string) (*database, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w; is DATABASE_URL right?", err)
	}
	db := &database{pool}
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	for {
		if err = db.applySchema(ctx); err == nil {
			return db, nil
		}
		slog.Warn("the database is not ready", "err", err)
		select {
		case <-ctx.Done():
			pool.Close()
			return nil, fmt.Errorf("apply the schema: %w", err)
		case <-time.After(nextTry):
		}
	}
}

func (db *database) applySchema(ctx context.Context) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, schema)
		return err
	})
}

func (db *database) today(ctx context.Context) (discount, error) {
	return db.read(ctx, `SELECT code, percent FROM discounts
		WHERE current_date BETWEEN starts_on AND ends_on
		ORDER BY percent DESC, code LIMIT 1`)
}

func (db *database) byCode(ctx context.Context, code string) (discount, error) {
	return db.read(ctx, `SELECT code, percent FROM discounts
		WHERE code = $1 AND current_date BETWEEN starts_on AND ends_on`, code)
}

// read reads the discount that a query is for.
func (db *database) read(ctx context.Context, query string, args ...any) (discount, error) {
	var d discount
	err := db.pool.QueryRow(ctx, query, args...).Scan(&d.Code, &d.Percent)
	if errors.Is(err, pgx.ErrNoRows) {
		return discount{}, errNoDiscount
	}
	return d, err
}
