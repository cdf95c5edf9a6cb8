-- shipment_item_audit
-- Items by their shipment. Whether another shipment holds the document now tells of a shipment that opened again.
SELECT i.id, i.shipment_id, i.dossier_id, COALESCE(i.live, 0) AS live,
    (SELECT COUNT(*) FROM shipment_item o
        WHERE o.dossier_id = i.dossier_id AND o.document_no = i.document_no AND o.live = 1 AND o.id <> i.id) AS elsewhere
FROM shipment_item i WHERE (i.shipment_id, i.id) > ($1, $2) ORDER BY i.shipment_id, i.id LIMIT $3
