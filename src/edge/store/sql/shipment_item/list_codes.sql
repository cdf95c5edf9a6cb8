-- shipment_item_list_codes
SELECT d.id, d.code, i.document_no, i.live FROM shipment_item i JOIN dossier d ON d.id = i.dossier_id
WHERE i.shipment_id = $1 ORDER BY d.code, i.document_no
