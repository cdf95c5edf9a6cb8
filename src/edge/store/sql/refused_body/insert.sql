-- refused_body_insert
INSERT INTO refused_body (id, account_id, source, hour_at, record_id, sealed, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
