-- dossier_describe
UPDATE dossier SET procedure_code = $2, office_id = $3 WHERE id = $1
