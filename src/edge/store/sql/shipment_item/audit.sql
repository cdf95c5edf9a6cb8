-- shipment_item_audit
SELECT id, shipment_id, dossier_id, COALESCE(live, 0) AS live FROM shipment_item
WHERE id > $1 ORDER BY id LIMIT $2
