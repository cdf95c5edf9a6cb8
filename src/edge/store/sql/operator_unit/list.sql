-- operator_unit_list
SELECT code, name, parent_code FROM operator_unit
WHERE account_id = $1 AND unit_set = $2 AND level = $3 ORDER BY parent_code, code
