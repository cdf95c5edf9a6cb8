-- import_row_delete_to
DELETE FROM import_row WHERE import_id = $1 AND line <= $2
