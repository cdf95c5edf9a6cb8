-- tracking_event_known
SELECT identity, state FROM tracking_event WHERE shipment_id = $1
