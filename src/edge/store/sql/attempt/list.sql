-- attempt_list
SELECT id, shipment_id, number, account_id, reference, revision, lease_token, started_at, ended_at, outcome, detail, settled, settled_at
FROM attempt WHERE shipment_id = $1 ORDER BY number LIMIT 1000
