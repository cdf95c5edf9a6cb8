-- record_key_destroy
-- secure_delete overwrites the freed bytes on SQLite.
UPDATE record_key SET wrapped = $2, destroyed_at = $3 WHERE record_id = $1 AND destroyed_at IS NULL
