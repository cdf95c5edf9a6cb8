-- dossier_tally
SELECT discrepancy AS word_1, NULL AS word_2, NULL AS word_3, COUNT(*) AS number
FROM dossier WHERE discrepancy IS NOT NULL GROUP BY discrepancy LIMIT 1000
