-- unit_of_set
-- A whole set: some thousands.
SELECT unit_set, code, level, name, parent_code FROM unit WHERE unit_set = $1 ORDER BY level, code LIMIT 20000
