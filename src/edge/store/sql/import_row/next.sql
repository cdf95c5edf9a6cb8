-- import_row_next
SELECT line, sealed FROM import_row WHERE import_id = $1 ORDER BY line LIMIT $2
