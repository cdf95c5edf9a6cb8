-- shipment_unknown_code
UPDATE shipment SET unknown_code = $2 WHERE id = $1
