-- source_system_find
SELECT id, code, name, status_map FROM source_system WHERE id = $1
