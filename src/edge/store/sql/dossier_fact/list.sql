-- dossier_fact_list
SELECT occurred_at, map_version, fields FROM dossier_fact WHERE dossier_id = $1
