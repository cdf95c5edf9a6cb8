-- handover_list
SELECT id, office_id, number, year, given_by, taken_by, handed_over_at, entered_at, late_reason FROM handover
WHERE office_id = $1 ORDER BY year DESC, number DESC LIMIT $2
