-- source_system_upsert
INSERT INTO source_system (id, code, name, status_map, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, status_map = excluded.status_map
