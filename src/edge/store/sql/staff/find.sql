-- staff_find
SELECT id, login, display_name, active FROM staff WHERE id = $1
