-- queue_hint_doubt
-- A hint about a shipment in doubt: look soon. One that two look-ups did not find, and that waits for a person, is looked
-- up again as well; whether it may be sent is not decided by a hint.
UPDATE queue SET state = 'doubt', due_at = CASE WHEN state = 'doubt' AND due_at < $2 THEN due_at ELSE $2 END
WHERE shipment_id = $1 AND (state = 'doubt' OR (state = 'held' AND doubted_at IS NOT NULL AND absences >= 2))
