-- operator_unit_delete
DELETE FROM operator_unit WHERE account_id = $1 AND unit_set = $2
