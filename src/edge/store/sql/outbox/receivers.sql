-- outbox_receivers
-- Receivers of a source's events, each with the last sequence of this dossier. A paused one is among them: its events wait
-- for it, or it would miss them without a gap to see. The dossier's row is locked by the caller, so two writers cannot
-- take one number.
SELECT e.id, COALESCE((SELECT MAX(o.sequence) FROM outbox o WHERE o.endpoint_id = e.id AND o.dossier_id = $2), 0) AS last
FROM endpoint e WHERE e.source_id = $1 ORDER BY e.id
