-- queue_hint_doubt
-- A hint about a shipment in doubt: look soon.
UPDATE queue SET due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE shipment_id = $1 AND state = 'doubt'
