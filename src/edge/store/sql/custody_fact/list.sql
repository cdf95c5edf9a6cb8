-- custody_fact_list
SELECT occurred_at, heard_at, fields FROM custody_fact WHERE shipment_id = $1
