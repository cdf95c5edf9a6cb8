-- shipment_item_set_live
-- A document that another live shipment holds by now stays with that one.
UPDATE shipment_item SET live = 1
WHERE shipment_id = $1 AND live IS NULL AND NOT EXISTS (
    SELECT 1 FROM shipment_item o
    WHERE o.dossier_id = shipment_item.dossier_id AND o.document_no = shipment_item.document_no AND o.live = 1)
