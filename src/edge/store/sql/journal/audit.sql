-- journal_audit
-- Entries of one kind of subject with all that stands beside their bytes, subject by subject and in sequence: the order of
-- the unique key, so that no history needs more room in memory than its own length.
SELECT id, subject_kind, subject_id, sequence, kind, recorded_at, bytes FROM journal
WHERE subject_kind = $1 AND (subject_id, sequence) > ($2, $3) AND sequence IS NOT NULL
ORDER BY subject_id, sequence LIMIT $4
