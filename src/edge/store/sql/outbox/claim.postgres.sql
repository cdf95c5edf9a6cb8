-- outbox_claim
-- Oldest promise first, and of a dossier only its first open event. A dead one is open: nothing overtakes it until a person
-- redrives or skips it. While the receiver asked us to wait, nothing of it is due. A lease that ran out is due again, under
-- a newer token. Beginning counts, so that an event which kills its sender each time comes to its end. Rows another
-- gateway is claiming are passed over.
UPDATE outbox SET state = 'leased', lease_token = lease_token + 1, lease_until_at = $3, due_at = $3, attempts = attempts + 1,
    first_at = COALESCE(first_at, $2)
WHERE id IN (
    SELECT o.id FROM outbox o
    WHERE o.endpoint_id = $1 AND o.state IN ('waiting', 'leased') AND o.due_at <= $2
        AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.endpoint_id = $1 AND b.dossier_id = o.dossier_id
            AND b.sequence < o.sequence AND b.state IN ('waiting', 'leased', 'dead'))
        AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.endpoint_id = $1 AND t.state IN ('waiting', 'dead')
            AND t.last_detail = 'throttled' AND t.due_at > $2)
        AND EXISTS (SELECT 1 FROM endpoint p WHERE p.id = $1 AND p.active = 1)
    ORDER BY o.due_at, o.id LIMIT $4 FOR UPDATE OF o SKIP LOCKED)
RETURNING id, dossier_id, sequence, body, attempts, first_at, lease_token, lease_until_at
