-- record_key_list_expired
SELECT record_id FROM record_key WHERE expires_at <= $1 AND destroyed_at IS NULL LIMIT $2
