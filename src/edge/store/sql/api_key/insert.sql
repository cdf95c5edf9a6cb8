-- api_key_insert
INSERT INTO api_key (id, source_id, key_hash, label, created_at) VALUES ($1, $2, $3, $4, $5)
