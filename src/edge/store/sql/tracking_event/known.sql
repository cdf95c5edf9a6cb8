-- tracking_event_known
-- A reason stands only where the event lies in quarantine.
SELECT identity, reason FROM tracking_event WHERE shipment_id = $1
