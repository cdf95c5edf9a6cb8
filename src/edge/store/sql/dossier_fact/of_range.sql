-- dossier_fact_of_range
SELECT dossier_id, occurred_at, map_version, fields FROM dossier_fact
WHERE dossier_id > $1 AND dossier_id <= $2 ORDER BY dossier_id, occurred_at, fact_id
