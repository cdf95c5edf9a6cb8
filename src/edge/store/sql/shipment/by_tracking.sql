-- shipment_by_tracking
SELECT id FROM shipment WHERE account_id = $1 AND tracking_number = $2 LIMIT 2
