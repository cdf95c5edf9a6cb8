-- shipment_set_cancel_due
UPDATE shipment SET cancel_due_at = $2 WHERE id = $1
