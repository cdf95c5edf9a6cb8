-- operator_unit_insert
INSERT INTO operator_unit (account_id, unit_set, level, code, name, parent_code) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
