-- shipment_by_reference
SELECT id FROM shipment WHERE account_id = $1 AND reference = $2
