-- unit_upsert
INSERT INTO unit (unit_set, code, level, name, parent_code, valid_from_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (unit_set, level, code) DO UPDATE SET name = excluded.name, parent_code = excluded.parent_code,
    valid_from_at = excluded.valid_from_at
