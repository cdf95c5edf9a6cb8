-- poll_stop
DELETE FROM poll WHERE shipment_id = $1
