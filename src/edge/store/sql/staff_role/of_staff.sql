-- staff_role_of_staff
-- Past and future ones too.
SELECT office_id, role, valid_from_at, valid_to_at FROM staff_role WHERE staff_id = $1
ORDER BY valid_from_at, office_id, role LIMIT 10000
