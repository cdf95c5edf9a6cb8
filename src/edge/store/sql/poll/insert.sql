-- poll_insert
INSERT INTO poll (shipment_id, account_id, due_at, hinted, lease_token, fruitless) VALUES ($1, $2, $3, 0, 0, 0)
ON CONFLICT DO NOTHING
