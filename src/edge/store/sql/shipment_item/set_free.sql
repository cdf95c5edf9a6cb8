-- shipment_item_set_free
-- The documents of an ended shipment may travel again, except those that reached the citizen.
UPDATE shipment_item SET live = NULL WHERE shipment_id = $1 AND live = 1
