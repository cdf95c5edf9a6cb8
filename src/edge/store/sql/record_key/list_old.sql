-- record_key_list_old
SELECT record_id, wrapped, key_version FROM record_key
WHERE key_version < $1 AND destroyed_at IS NULL LIMIT $2
