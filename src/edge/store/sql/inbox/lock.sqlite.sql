-- inbox_lock
-- SQLite has one writer; the transaction itself is the lock.
SELECT id, account_id, door, shipment_id, record_id, sealed, received_at FROM inbox WHERE id = $1 AND state = 'unread'
