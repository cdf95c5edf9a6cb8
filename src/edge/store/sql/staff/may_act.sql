-- staff_may_act
-- Roles of an active member of staff at one office at one instant.
SELECT r.role FROM staff_role r JOIN staff s ON s.id = r.staff_id
WHERE r.staff_id = $1 AND s.active = 1 AND r.office_id = $2 AND r.valid_from_at <= $3
    AND (r.valid_to_at IS NULL OR r.valid_to_at > $3)
