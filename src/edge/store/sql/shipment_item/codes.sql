-- shipment_item_codes
-- What lies in the envelope, with what its papers show and whether the postal choice still stands.
SELECT i.id, i.dossier_id, i.document_no, d.code, d.post_withdrawn
FROM shipment_item i JOIN dossier d ON d.id = i.dossier_id
WHERE i.shipment_id = $1 ORDER BY d.code, i.document_no
