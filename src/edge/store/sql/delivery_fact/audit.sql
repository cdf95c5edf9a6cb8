-- delivery_fact_audit
SELECT shipment_id AS subject_id, fact_id, occurred_at, map_version, heard_at, fields FROM delivery_fact
WHERE (shipment_id, fact_id) > ($1, $2) ORDER BY shipment_id, fact_id LIMIT $3
