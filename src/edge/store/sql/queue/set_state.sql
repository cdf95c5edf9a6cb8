-- queue_set_state
-- By a person or by a fact: takes the row out of any lease; the raised token makes the lease stale.
UPDATE queue SET state = $2, due_at = $3, lease_until_at = NULL, lease_token = lease_token + 1 WHERE shipment_id = $1
