-- shipment_next_cancel
SELECT COALESCE(MIN(COALESCE(cancel_due_at, 0)), -1) AS next_at FROM shipment
WHERE account_id = $1 AND state = 'cancel_requested'
