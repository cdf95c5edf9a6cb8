-- inbox_lock
-- A row that another gateway is reading right now is left to it.
SELECT id, account_id, door, shipment_id, record_id, sealed, received_at FROM inbox WHERE id = $1 AND state = 'unread'
FOR UPDATE SKIP LOCKED
