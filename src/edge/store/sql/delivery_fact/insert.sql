-- delivery_fact_insert
-- The key is the identity: a fact heard again changes nothing.
INSERT INTO delivery_fact (shipment_id, fact_id, occurred_at, map_version, heard_at, fields)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
