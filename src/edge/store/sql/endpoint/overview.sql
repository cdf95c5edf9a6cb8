-- endpoint_overview
-- Every receiver with what lies in its outbox, for an administrator.
SELECT p.id, p.source_id, p.url, p.secret_sealed, p.active, p.private_allowed, p.created_at, s.code AS source_code,
    (SELECT COUNT(*) FROM outbox o WHERE o.endpoint_id = p.id AND o.state IN ('waiting', 'leased')) AS waiting,
    (SELECT COUNT(*) FROM outbox o WHERE o.endpoint_id = p.id AND o.state = 'dead') AS dead,
    (SELECT MAX(o.ended_at) FROM outbox o WHERE o.endpoint_id = p.id AND o.state = 'sent') AS sent_at,
    (SELECT MAX(o.last_detail) FROM outbox o WHERE o.endpoint_id = p.id AND o.state IN ('waiting', 'leased', 'dead')) AS trouble
FROM endpoint p JOIN source_system s ON s.id = p.source_id
ORDER BY s.code, p.created_at, p.id LIMIT 1000
