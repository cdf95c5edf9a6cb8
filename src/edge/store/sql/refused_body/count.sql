-- refused_body_count
SELECT COUNT(*) AS number FROM refused_body WHERE account_id = $1 AND source = $2 AND hour_at = $3
