-- outbox_next_due
-- Events behind an open one of their dossier are not due by themselves; while a receiver asked us to wait, none of it is.
SELECT MIN(COALESCE(
    (SELECT MAX(t.due_at) FROM outbox t WHERE t.endpoint_id = p.id AND t.state IN ('waiting', 'dead')
        AND t.last_detail = 'throttled' AND t.due_at > $1),
    (SELECT MIN(o.due_at) FROM outbox o WHERE o.endpoint_id = p.id AND o.state IN ('waiting', 'leased')
        AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.endpoint_id = p.id AND b.dossier_id = o.dossier_id
            AND b.sequence < o.sequence AND b.state IN ('waiting', 'leased', 'dead'))))) AS next_at
FROM endpoint p WHERE p.active = 1
