-- dossier_fact_audit
SELECT dossier_id AS subject_id, fact_id, occurred_at, map_version, fields FROM dossier_fact
WHERE dossier_id > $1 OR (dossier_id = $1 AND fact_id > $2) ORDER BY dossier_id, fact_id LIMIT $3
