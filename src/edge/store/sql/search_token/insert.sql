-- search_token_insert
INSERT INTO search_token (token, record_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
