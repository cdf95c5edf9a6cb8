-- outbox_ready
-- Active receivers with an event that may be sent now; the conditions are those of outbox_claim, without leasing.
SELECT p.id, p.source_id, p.url, p.secret_sealed, p.active, p.private_allowed FROM endpoint p
WHERE p.active = 1
    AND EXISTS (SELECT 1 FROM outbox o WHERE o.endpoint_id = p.id AND o.state IN ('waiting', 'leased') AND o.due_at <= $1
        AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.endpoint_id = p.id AND b.dossier_id = o.dossier_id
            AND b.sequence < o.sequence AND b.state IN ('waiting', 'leased', 'dead')))
    AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.endpoint_id = p.id AND t.state IN ('waiting', 'dead')
        AND t.last_detail = 'throttled' AND t.due_at > $1)
ORDER BY p.id LIMIT $2
