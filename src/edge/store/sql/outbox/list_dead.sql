-- outbox_list_dead
-- After a position, oldest first; $1 one receiver, or null for all.
SELECT o.id, o.endpoint_id, o.dossier_id, o.sequence, o.state, o.attempts, o.last_detail, o.due_at, o.created_at, o.ended_at,
    p.url, s.code AS source_code, d.code,
    (SELECT COUNT(*) FROM outbox w WHERE w.endpoint_id = o.endpoint_id AND w.dossier_id = o.dossier_id
        AND w.sequence > o.sequence AND w.state IN ('waiting', 'leased', 'dead')) AS behind
FROM outbox o JOIN endpoint p ON p.id = o.endpoint_id JOIN source_system s ON s.id = p.source_id
    JOIN dossier d ON d.id = o.dossier_id
WHERE o.state = 'dead' AND (CAST($1 AS BYTEA) IS NULL OR o.endpoint_id = $1) AND o.id > $2
ORDER BY o.id LIMIT $3
