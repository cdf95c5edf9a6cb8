-- staff_role_upsert
INSERT INTO staff_role (staff_id, office_id, role, valid_from_at, valid_to_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (staff_id, office_id, role, valid_from_at) DO UPDATE SET valid_to_at = excluded.valid_to_at
