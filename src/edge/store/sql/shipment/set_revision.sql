-- shipment_set_revision
UPDATE shipment SET revision = $2, updated_at = $3 WHERE id = $1
