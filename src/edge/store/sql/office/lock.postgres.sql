-- office_lock
-- Lists of one office are numbered one after the other.
SELECT id FROM office WHERE id = $1 FOR UPDATE
