-- office_lock
-- One writer only: nobody else can move it.
SELECT id FROM office WHERE id = $1
