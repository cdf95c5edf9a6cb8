-- tracking_event_rejudge
-- In quarantine an event waits for another judgement: understood and plausible by now, or kept for another reason.
UPDATE tracking_event SET state = $3, reason = $4, map_version = $5
WHERE shipment_id = $1 AND identity = $2 AND state = 'quarantined' AND (state <> $3 OR reason <> $4)
