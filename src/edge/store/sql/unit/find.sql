-- unit_find
SELECT unit_set, code, level, name, parent_code FROM unit WHERE unit_set = $1 AND level = $2 AND code = $3
