-- journal_audit_loose
-- Entries without a sequence, by identifier: those about the installation itself, and none other if all is well.
SELECT id, subject_kind, subject_id, CAST(0 AS BIGINT) AS sequence, kind, recorded_at, bytes FROM journal
WHERE id > $1 AND sequence IS NULL ORDER BY id LIMIT $2
