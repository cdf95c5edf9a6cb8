-- shipment_heard
UPDATE shipment SET heard_at = $2 WHERE id = $1
