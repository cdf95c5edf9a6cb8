-- dossier_sequence
UPDATE dossier SET journal_sequence = $2 WHERE id = $1
