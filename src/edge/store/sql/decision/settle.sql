-- decision_settle
-- Once: a settled decision is never settled again.
UPDATE decision SET approved_by = $2, approved_at = $3, state = $4 WHERE id = $1 AND state = 'proposed'
