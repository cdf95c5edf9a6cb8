-- shipment_cancel_case
UPDATE shipment SET cancel_case = $2 WHERE id = $1
