-- shipment_item_set_live
UPDATE shipment_item SET live = 1 WHERE shipment_id = $1 AND live IS NULL
