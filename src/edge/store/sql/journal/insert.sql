-- journal_insert
-- The unique key over subject and sequence refuses a second history of one subject.
INSERT INTO journal (id, subject_kind, subject_id, sequence, kind, recorded_at, bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7)
