-- source_system_by_code
SELECT id, code, name, status_map FROM source_system WHERE code = $1
