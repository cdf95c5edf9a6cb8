-- handover_last_number
SELECT COALESCE(MAX(number), 0) AS last FROM handover WHERE office_id = $1 AND year = $2
