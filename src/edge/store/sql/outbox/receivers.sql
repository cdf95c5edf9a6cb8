-- outbox_receivers
-- Active receivers of a source's events, each with the last sequence of this dossier. The dossier's row is locked by
-- the caller, so two writers cannot take one number.
SELECT e.id, COALESCE((SELECT MAX(o.sequence) FROM outbox o WHERE o.endpoint_id = e.id AND o.dossier_id = $2), 0) AS last
FROM endpoint e WHERE e.source_id = $1 AND e.active = 1 ORDER BY e.id
