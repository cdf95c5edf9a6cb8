-- dossier_set_record
UPDATE dossier SET record_id = $2 WHERE id = $1
