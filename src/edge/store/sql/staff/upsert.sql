-- staff_upsert
INSERT INTO staff (id, login, display_name, active) VALUES ($1, $2, $3, $4)
ON CONFLICT (login) DO UPDATE SET display_name = excluded.display_name, active = excluded.active
