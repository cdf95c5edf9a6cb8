-- import_row_insert
INSERT INTO import_row (import_id, line, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
