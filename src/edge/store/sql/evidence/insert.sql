-- evidence_insert
INSERT INTO evidence (id, shipment_id, attempt_id, kind, record_id, digest, sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
