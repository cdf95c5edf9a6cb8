-- staff_role_insert
INSERT INTO staff_role (staff_id, office_id, role, valid_from_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
