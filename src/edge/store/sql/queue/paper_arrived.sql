-- queue_paper_arrived
-- The paper was scanned in: the order may be sent.
UPDATE queue SET state = 'ready', due_at = $2 WHERE shipment_id = $1 AND state = 'paper'
