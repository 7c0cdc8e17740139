"""The migrations of the ledger's schema, oldest first; ``PRAGMA user_version`` counts them.

A released migration is never changed: a new version appends one.
"""

from __future__ import annotations

MIGRATIONS = (
    """
CREATE TABLE recipe (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
  tools TEXT NOT NULL, added REAL NOT NULL);
CREATE TABLE job (
  id INTEGER PRIMARY KEY, recipe INTEGER NOT NULL REFERENCES recipe,
  source BLOB NOT NULL, place BLOB NOT NULL,
  ident BLOB NOT NULL, size INTEGER NOT NULL, stamp TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new', tries INTEGER NOT NULL DEFAULT 0, owner TEXT, sha256 TEXT,
  status TEXT, problem TEXT, media_seconds REAL, work_seconds REAL,
  added REAL NOT NULL, ended REAL, tidied INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX job_ident ON job(ident);
CREATE INDEX job_new ON job(recipe, tries, id) WHERE state = 'new';
CREATE INDEX job_held ON job(owner) WHERE state IN ('run', 'publish');
CREATE INDEX job_content ON job(sha256, source) WHERE sha256 IS NOT NULL;
CREATE INDEX job_twin ON job(sha256, recipe) WHERE status = 'fixed';
CREATE TABLE output (
  job INTEGER NOT NULL REFERENCES job, number INTEGER NOT NULL, name BLOB NOT NULL,
  fold BLOB NOT NULL UNIQUE, sha256 TEXT NOT NULL, size INTEGER NOT NULL, part BLOB,
  made INTEGER NOT NULL, replaces TEXT, PRIMARY KEY (job, number)) WITHOUT ROWID;
CREATE INDEX output_content ON output(sha256) WHERE made;
""",
    "ALTER TABLE job ADD COLUMN due REAL NOT NULL DEFAULT 0",
    """
ALTER TABLE recipe RENAME TO settings;
ALTER TABLE settings RENAME COLUMN added TO added_at;
ALTER TABLE job RENAME COLUMN recipe TO settings_id;
ALTER TABLE job RENAME COLUMN place TO relative_path;
ALTER TABLE job RENAME COLUMN ident TO job_key;
ALTER TABLE job RENAME COLUMN size TO size_bytes;
ALTER TABLE job RENAME COLUMN tries TO attempts;
ALTER TABLE job RENAME COLUMN due TO not_before;
ALTER TABLE job RENAME COLUMN added TO added_at;
ALTER TABLE job RENAME COLUMN ended TO ended_at;
ALTER TABLE job RENAME COLUMN tidied TO cleaned_up;
ALTER TABLE output RENAME COLUMN job TO job_id;
ALTER TABLE output RENAME COLUMN fold TO folded_name;
ALTER TABLE output RENAME COLUMN size TO size_bytes;
ALTER TABLE output RENAME COLUMN part TO work_file;
ALTER TABLE output RENAME COLUMN made TO fixed;
ALTER TABLE output RENAME COLUMN replaces TO replaces_sha256;
CREATE INDEX job_path ON job(settings_id, relative_path);
""",
)
SCHEMA_VERSION = len(MIGRATIONS)
