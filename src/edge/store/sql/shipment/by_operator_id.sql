-- shipment_by_operator_id
SELECT id FROM shipment WHERE account_id = $1 AND operator_id = $2 LIMIT 2
