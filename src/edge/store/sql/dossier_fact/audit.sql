-- dossier_fact_audit
SELECT dossier_id AS subject_id, fact_id, occurred_at, map_version, CAST(NULL AS BIGINT) AS heard_at, fields FROM dossier_fact
WHERE (dossier_id, fact_id) > ($1, $2) ORDER BY dossier_id, fact_id LIMIT $3
