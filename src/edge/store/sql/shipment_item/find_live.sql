-- shipment_item_find_live
SELECT shipment_id FROM shipment_item WHERE dossier_id = $1 AND document_no = $2 AND live = 1
