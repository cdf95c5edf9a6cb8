-- tracking_event_release
-- Out of quarantine, once: what was not understood or not plausible then is so now.
UPDATE tracking_event SET state = $3, reason = NULL, map_version = $4
WHERE shipment_id = $1 AND identity = $2 AND state = 'quarantined'
