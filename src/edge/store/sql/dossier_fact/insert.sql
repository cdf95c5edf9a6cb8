-- dossier_fact_insert
INSERT INTO dossier_fact (dossier_id, fact_id, occurred_at, map_version, fields)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
