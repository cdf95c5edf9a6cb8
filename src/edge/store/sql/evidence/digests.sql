-- evidence_digests
-- What there is, without opening it.
SELECT attempt_id, kind, digest, at FROM evidence WHERE shipment_id = $1 ORDER BY at, id LIMIT 1000
