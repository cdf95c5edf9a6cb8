-- journal_last_sequence
SELECT COALESCE(MAX(sequence), 0) AS last FROM journal WHERE subject_kind = $1 AND subject_id = $2
