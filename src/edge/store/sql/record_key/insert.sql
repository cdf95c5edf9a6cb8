-- record_key_insert
INSERT INTO record_key (record_id, wrapped, key_version, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
