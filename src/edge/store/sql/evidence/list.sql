-- evidence_list
SELECT id, attempt_id, kind, digest, sealed, at FROM evidence WHERE shipment_id = $1 ORDER BY at, id LIMIT 1000
