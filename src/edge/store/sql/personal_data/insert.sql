-- personal_data_insert
INSERT INTO personal_data (record_id, field, sealed) VALUES ($1, $2, $3)
ON CONFLICT (record_id, field) DO UPDATE SET sealed = excluded.sealed
