-- outbox_insert
INSERT INTO outbox (id, endpoint_id, dossier_id, sequence, kind, body, state, due_at, attempts, lease_token, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, 0, $7)
