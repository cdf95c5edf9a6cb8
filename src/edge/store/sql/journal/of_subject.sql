-- journal_of_subject
SELECT bytes FROM journal WHERE subject_kind = $1 AND subject_id = $2 ORDER BY sequence LIMIT $3
