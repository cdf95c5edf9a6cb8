-- shipment_item_live_of_dossier
-- The shipment that holds a document now.
SELECT id, shipment_id FROM shipment_item WHERE dossier_id = $1 AND document_no = $2 AND live = 1
