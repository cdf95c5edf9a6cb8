-- staff_by_login
SELECT id, login, display_name, active FROM staff WHERE login = $1
