-- handover_item_insert
INSERT INTO handover_item (handover_id, shipment_id, position, taken, reason) VALUES ($1, $2, $3, $4, $5)
