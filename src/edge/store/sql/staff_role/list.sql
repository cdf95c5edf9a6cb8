-- staff_role_list
-- Roles in force at an instant.
SELECT office_id, role FROM staff_role
WHERE staff_id = $1 AND valid_from_at <= $2 AND (valid_to_at IS NULL OR valid_to_at > $2)
