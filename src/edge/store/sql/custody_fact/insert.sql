-- custody_fact_insert
INSERT INTO custody_fact (shipment_id, fact_id, occurred_at, heard_at, fields)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
