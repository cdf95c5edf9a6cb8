-- import_row_clear
-- A few at a time: no transaction may last.
DELETE FROM import_row WHERE import_id = $1 AND line <= (
    SELECT MAX(first.line) FROM (SELECT line FROM import_row WHERE import_id = $1 ORDER BY line LIMIT $2) AS first)
