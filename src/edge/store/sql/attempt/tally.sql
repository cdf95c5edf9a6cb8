-- attempt_tally
SELECT outcome AS word_1, detail AS word_2, settled AS word_3, COUNT(*) AS number
FROM attempt GROUP BY outcome, detail, settled LIMIT 1000
