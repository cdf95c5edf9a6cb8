-- attempt_insert
INSERT INTO attempt (id, shipment_id, number, account_id, reference, item_code, revision, lease_token, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
