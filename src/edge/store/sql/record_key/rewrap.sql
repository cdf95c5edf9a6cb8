-- record_key_rewrap
UPDATE record_key SET wrapped = $2, key_version = $3 WHERE record_id = $1 AND key_version = $4 AND destroyed_at IS NULL
