-- shipment_of_dossier
SELECT s.id, s.created_at FROM shipment s
WHERE s.id IN (SELECT i.shipment_id FROM shipment_item i WHERE i.dossier_id = $1)
ORDER BY s.created_at, s.id
