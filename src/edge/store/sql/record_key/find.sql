-- record_key_find
SELECT wrapped, key_version FROM record_key WHERE record_id = $1
