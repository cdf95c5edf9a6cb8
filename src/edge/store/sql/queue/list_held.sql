-- queue_list_held
-- Shipments whose sending was given up or refused, after a position.
SELECT s.id, s.short_number, s.held, s.state, f.code AS office_code, q.attempts FROM queue q
JOIN shipment s ON s.id = q.shipment_id JOIN office f ON f.id = s.sending_office_id
WHERE q.state = 'held' AND s.id > $1 ORDER BY s.id LIMIT $2
