-- The schema of the shop, for all versions of the code at once: production and
-- canary share the database, and a revert brings old code back to it.
--
-- So every statement here is idempotent (each service runs the file when it starts)
-- and only ever adds: a table, a column with a default, a row. What code no longer
-- uses is taken away only when no version that may still run uses it (expand and
-- contract). To rename a column: add the new one, write both, read the new one, and
-- drop the old one releases later.

CREATE TABLE IF NOT EXISTS discounts (
	code    text    PRIMARY KEY,
	percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100)
);

ALTER TABLE discounts ADD COLUMN IF NOT EXISTS starts_on date NOT NULL DEFAULT '-infinity';
ALTER TABLE discounts ADD COLUMN IF NOT EXISTS ends_on   date NOT NULL DEFAULT 'infinity';

INSERT INTO discounts (code, percent) VALUES
	('STOREDOG20', 20),
	('GOODBOY10', 10),
	('WELCOME5', 5)
ON CONFLICT DO NOTHING;
