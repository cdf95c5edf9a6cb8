-- endpoint_set_active
UPDATE endpoint SET active = $2 WHERE id = $1 AND active <> $2
