-- shipment_item_insert
INSERT INTO shipment_item (id, shipment_id, dossier_id, document_no, live) VALUES ($1, $2, $3, $4, 1)
