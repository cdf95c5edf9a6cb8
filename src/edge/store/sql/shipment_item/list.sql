-- shipment_item_list
SELECT id, dossier_id, document_no, live FROM shipment_item WHERE shipment_id = $1 ORDER BY dossier_id, document_no
