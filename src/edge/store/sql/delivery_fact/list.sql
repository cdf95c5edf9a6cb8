-- delivery_fact_list
SELECT occurred_at, map_version, heard_at, fields FROM delivery_fact WHERE shipment_id = $1
