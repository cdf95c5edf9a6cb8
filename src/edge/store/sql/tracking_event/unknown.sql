-- tracking_event_unknown
-- The same one in whatever order they came.
SELECT code FROM tracking_event WHERE shipment_id = $1 AND state = 'quarantined' AND reason = 'unknown_code'
ORDER BY COALESCE(occurred_at, 0) DESC, code DESC LIMIT 1
