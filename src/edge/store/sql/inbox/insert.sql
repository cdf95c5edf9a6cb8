-- inbox_insert
INSERT INTO inbox (id, account_id, door, shipment_id, record_id, sealed, received_at, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'unread')
